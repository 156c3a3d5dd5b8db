#include "image/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "image/test_images.h"
#include "support/places.h"
#include "support/sha256.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::filesystem::path kShared = shared_folder();

TEST(ReadImage, JpegBytesEqualTheReference) {
  const auto pipeline = kShared / "golden/pipeline/pipeline.json";
  if (!std::filesystem::exists(pipeline)) GTEST_SKIP() << "no reference data at " << pipeline;
  const auto photos = nlohmann::json::parse(std::ifstream(pipeline)).at("photos");
  int compared = 0;
  for (const auto& [name, photo] : photos.items()) {
    if (!photo.is_object() || !photo.contains("sha256_decoded_rgb")) continue;
    const std::string file = photo.at("file");  // "shared/data/..."
    const Image image = read_image(kShared / file.substr(file.find('/') + 1));
    EXPECT_EQ(image.height, photo.at("ori_shape")[0]) << name;
    EXPECT_EQ(image.width, photo.at("ori_shape")[1]) << name;
    EXPECT_EQ(sha256_hex(image.pixels), photo.at("sha256_decoded_rgb").get<std::string>()) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 3);
}

TEST(ReadImage, PngEqualsTheDecodedJpeg) {
  const auto png = kShared / "golden/pipeline/10_10_s_decoded.png";
  if (!std::filesystem::exists(png)) GTEST_SKIP() << "no reference data at " << png;
  EXPECT_EQ(read_image(png).pixels, read_image(kShared / "data/msrc21/images/10_10_s.jpg").pixels);
}

TEST(ReadImage, EveryReferencePhotoDecodes) {
  const auto folder = kShared / "data/msrc21/images";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no reference data at " << folder;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_NO_THROW(read_image(entry.path())) << entry.path();
  }
}

TEST(ReadImage, NamesWhatItCannotRead) {
  TestDir dir;
  write_file(dir / "empty.jpg", "");
  write_file(dir / "page.jpg", "<!DOCTYPE html><html>404</html>");
  EXPECT_THAT(bad_input_text([&] { read_image(dir / "none.jpg"); }),
              AllOf(HasSubstr("none.jpg"), HasSubstr("No such file")));
  EXPECT_THAT(bad_input_text([&] { read_image(dir.path()); }), HasSubstr("it is a folder"));
  EXPECT_THAT(bad_input_text([&] { read_image(dir / "empty.jpg"); }), HasSubstr("an empty file"));
  EXPECT_THAT(bad_input_text([&] { read_image(dir / "page.jpg"); }),
              AllOf(HasSubstr("page.jpg"), HasSubstr("an HTML page")));
}

TEST(ReadImage, RefusesPipesWithoutWaiting) {
  TestDir dir;
  ASSERT_EQ(mkfifo((dir / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(bad_input_text([&] { read_image(dir / "pipe"); }), HasSubstr("a pipe"));
}

// Every format, so that the checks below hold for all of them.
std::vector<std::pair<std::string, Bytes>> one_of_each(const Image& image) {
  return {
      {"baseline.jpg", encode_jpeg(image)},
      {"progressive.jpg", encode_jpeg(image, {.progressive = true})},
      {"plain.png", encode_png(image.width, image.height, image.pixels, {})},
      {"interlaced.png", encode_png(image.width, image.height, image.pixels, {.interlaced = true})},
      {"lossy.webp", encode_webp(image, false)},
      {"lossless.webp", encode_webp(image, true)}};
}

TEST(DecodeImage, OnePixel) {
  for (const auto& [name, bytes] : one_of_each(gradient_image(1, 1))) {
    const Image image = decode_image(bytes, name);
    EXPECT_EQ(image.width, 1) << name;
    EXPECT_EQ(image.height, 1) << name;
    EXPECT_EQ(image.pixels.size(), 3u) << name;
  }
}

TEST(DecodeImage, LimitCountsPixelsOfTheHeader) {
  for (const auto& [name, bytes] : one_of_each(gradient_image(40, 30))) {
    EXPECT_NO_THROW(decode_image(bytes, name, {.max_pixels = 1200})) << name;
    EXPECT_THAT(
        bad_input_text([&] { decode_image(bytes, name, {.max_pixels = 1199}); }),
        AllOf(HasSubstr(name), HasSubstr("40 x 30"), HasSubstr("1199"), HasSubstr("max_pixels")));
  }
}

// Never a partly decoded image: where only the end mark is cut off, it is whole.
TEST(DecodeImage, EveryTruncationIsAnErrorOrLosesNoPixel) {
  for (const auto& [name, bytes] : one_of_each(gradient_image(61, 47))) {
    const Image whole = decode_image(bytes, name);
    size_t read = 0;
    for (size_t length = 0; length < bytes.size(); ++length) {
      try {
        const Image image = decode_image(std::span(bytes).first(length), name);
        EXPECT_EQ(image.pixels, whole.pixels) << name << " cut to " << length;
        EXPECT_NE(image.warning, "") << name << " cut to " << length;
        ++read;
      } catch (const Error&) {
      }
    }
    EXPECT_LE(read, 14U) << name;
  }
}

TEST(DecodeImage, OtherFormatsAreNamedWithTheCommandThatConvertsThem) {
  using std::string_view_literals::operator""sv;
  const std::pair<std::string_view, const char*> formats[] = {
      {"GIF89a..."sv, "a GIF image"},
      {"P6\n96 64\n255\n"sv, "magick in.ppm out.png"},
      {"\0\0\0\x18"
       "ftypheic"sv,
       "magick in.heic out.png"},
      {"\0\0\0\x18"
       "ftypmp42"sv,
       "ffmpeg -i in.mp4"},
      {"%PDF-1.7"sv, "pdftoppm"},
      {"<svg xmlns='x'/>"sv, "rsvg-convert"}};
  for (const auto& [bytes, expected] : formats) {
    EXPECT_THAT(bad_input_text([&] { decode_image(std::as_bytes(std::span(bytes)), "a.jpg"); }),
                HasSubstr(expected));
  }
}

TEST(DecodeImage, FlippedBytesDecodeOrThrow) {
  std::mt19937 random(7);
  for (const auto& [name, bytes] : one_of_each(gradient_image(61, 47))) {
    for (int round = 0; round < 2000; ++round) {
      Bytes broken = bytes;
      for (int flips = 0; flips <= round % 4; ++flips) {
        broken[random() % broken.size()] = static_cast<std::byte>(random());
      }
      try {
        const Image image = decode_image(broken, name, {.max_pixels = 1 << 20});
        EXPECT_EQ(image.pixels.size(), image.size() * 3);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      }
    }
  }
}

TEST(DecodeImage, BytesAfterTheEndDoNotMatter) {
  for (auto [name, bytes] : one_of_each(gradient_image(20, 20))) {
    const Image whole = decode_image(bytes, name);
    bytes.insert(bytes.end(), 1000, std::byte{0x55});
    EXPECT_EQ(decode_image(bytes, name).pixels, whole.pixels) << name;
  }
}

}  // namespace
}  // namespace tagclip
