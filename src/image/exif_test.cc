#include "image/exif.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string_view>

#include "image/test_images.h"

namespace tagclip {
namespace {

// The stored pixels  1 2  seen in each orientation, by the definition of the tag: 2, for example,
//                    3 4  says that the stored first column is the right side of the upright
//                    image. 5 6
struct Case {
  int orientation;
  int width;
  std::vector<uint8_t> expected;
};

const Case kCases[] = {
    {1, 2, {1, 2, 3, 4, 5, 6}}, {2, 2, {2, 1, 4, 3, 6, 5}}, {3, 2, {6, 5, 4, 3, 2, 1}},
    {4, 2, {5, 6, 3, 4, 1, 2}}, {5, 3, {1, 3, 5, 2, 4, 6}}, {6, 3, {5, 3, 1, 6, 4, 2}},
    {7, 3, {6, 4, 2, 5, 3, 1}}, {8, 3, {2, 4, 6, 1, 3, 5}},
};

Image numbered() {
  Image image{2, 3, {}};
  for (uint8_t i = 1; i <= 6; ++i) image.pixels.insert(image.pixels.end(), {i, i, i});
  return image;
}

TEST(Exif, UprightFollowsTheTag) {
  for (const Case& test : kCases) {
    const Image image = upright(numbered(), static_cast<Orientation>(test.orientation));
    EXPECT_EQ(image.width, test.width) << test.orientation;
    EXPECT_EQ(image.height, 6 / test.width) << test.orientation;
    ASSERT_EQ(image.pixels.size(), 18u);
    for (size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(image.pixels[i * 3], test.expected[i]) << test.orientation << " at " << i;
    }
  }
}

// One TIFF entry of any type and count; values beyond four bytes stand behind the directory.
std::vector<uint8_t> orientation_entry(uint8_t type, uint8_t count, std::vector<uint8_t> values) {
  std::vector<uint8_t> block{'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, type, 0, count, 0, 0, 0};
  if (values.size() > 4) block.insert(block.end(), {26, 0, 0, 0});
  values.resize(std::max<size_t>(values.size(), 4));
  const auto where = block.insert(block.end(), values.begin(), values.end());
  block.insert(values.size() > 4 ? where : block.end(), {0, 0, 0, 0});
  return block;
}

std::vector<uint8_t> with_prefix(std::string_view prefix, std::vector<uint8_t> block) {
  block.insert(block.begin(), prefix.begin(), prefix.end());
  return block;
}

constexpr std::string_view kExif("Exif\0\0", 6);

// The photo in every format with this EXIF block, which in a PNG and a WebP stands alone.
std::vector<std::pair<std::string, Bytes>> with_exif(const Image& photo,
                                                     const std::vector<uint8_t>& block) {
  Bytes webp = encode_webp(photo, true);
  append_webp_chunk(webp, "EXIF", block);
  return {{"a.jpg", encode_jpeg(photo, {.app1 = with_prefix(kExif, block)})},
          {"a.png",
           with_png_chunk(encode_png(photo.width, photo.height, photo.pixels, {}), "eXIf", block)},
          {"a.webp", webp}};
}

TEST(Exif, EveryFormatIsTurned) {
  const Image stored = gradient_image(24, 16);
  for (uint8_t tag = 1; tag <= 8; ++tag) {
    for (const bool big_endian : {false, true}) {
      const auto plain = with_exif(stored, exif_block(1, big_endian));
      const auto turned = with_exif(stored, exif_block(tag, big_endian));
      for (size_t i = 0; i < plain.size(); ++i) {
        const auto& [name, bytes] = turned[i];
        EXPECT_EQ(orientation_in_file(bytes), static_cast<Orientation>(tag)) << name;
        EXPECT_EQ(
            decode_image(bytes, name).pixels,
            upright(decode_image(plain[i].second, name), static_cast<Orientation>(tag)).pixels)
            << name << " " << int{tag};
      }
    }
  }
}

// Expected: what Pillow 13's exif_transpose makes of the same blocks.
TEST(Exif, TypesAndPrefixesAsPillowTakesThem) {
  const auto short6 = exif_block(6, false);
  auto odd_mark = exif_block(6, true);
  std::swap(odd_mark[2], odd_mark[3]);
  const std::pair<std::vector<uint8_t>, bool> blocks[] = {
      {orientation_entry(3, 1, {6, 0}), true},
      {orientation_entry(4, 1, {6, 0, 0, 0}), true},
      {orientation_entry(6, 1, {6}), true},
      {orientation_entry(8, 1, {6, 0}), true},
      {orientation_entry(9, 1, {6, 0, 0, 0}), true},
      {orientation_entry(3, 2, {6, 0, 1, 0}), true},
      {orientation_entry(3, 3, {6, 0, 1, 0, 1, 0}), true},
      {orientation_entry(1, 1, {6}), false},
      {orientation_entry(2, 2, {'6', 0}), false},
      {orientation_entry(3, 0, {6, 0}), false},
      {with_prefix(kExif, short6), true},
      {with_prefix(kExif, with_prefix(kExif, short6)), true},
      {odd_mark, true}};
  int number = 0;
  for (const auto& [block, turned] : blocks) {
    for (const auto& [name, bytes] : with_exif(gradient_image(24, 16), block)) {
      EXPECT_EQ(decode_image(bytes, name).width, turned ? 16 : 24) << name << " " << number;
    }
    ++number;
  }
}

TEST(Exif, XmpTellsWhereExifDoesNot) {
  const Image photo = gradient_image(24, 16);
  const std::string xmp = "<x><rdf:Description tiff:Orientation=\"6\"/></x>";
  const std::vector<uint8_t> content(xmp.begin(), xmp.end());
  Bytes webp = encode_webp(photo, true);
  append_webp_chunk(webp, "XMP ", content);
  const Bytes png = encode_png(24, 16, photo.pixels, {});
  const std::string_view jpeg_prefix("http://ns.adobe.com/xap/1.0/\0", 29);
  const std::string_view png_prefix("XML:com.adobe.xmp\0\0\0\0\0", 22);
  EXPECT_EQ(decode_image(encode_jpeg(photo, {.app1 = with_prefix(jpeg_prefix, content)}), "").width,
            16);
  EXPECT_EQ(decode_image(with_png_chunk(png, "iTXt", with_prefix(png_prefix, content)), "").width,
            16);
  EXPECT_EQ(decode_image(webp, "").width, 16);
  append_webp_chunk(webp, "EXIF", exif_block(1, false));
  EXPECT_EQ(decode_image(webp, "").width, 24);
}

TEST(Exif, PngMayHoldItAsHexadecimalText) {
  const Image photo = gradient_image(24, 16);
  std::string text = "\nexif\n      32\n";
  for (const uint8_t byte : with_prefix(kExif, exif_block(8, true))) {
    text += fmt::format("{:02x}{}", byte, text.size() % 37 == 0 ? "\n" : "");
  }
  for (const int compression : {PNG_TEXT_COMPRESSION_NONE, PNG_TEXT_COMPRESSION_zTXt}) {
    const Bytes png =
        encode_png(24, 16, photo.pixels, {.extra = [&](png_structp writer, png_infop info) {
                     png_text entry{};
                     entry.compression = compression;
                     entry.key = const_cast<char*>("Raw profile type exif");
                     entry.text = text.data();
                     entry.text_length = text.size();
                     png_set_text(writer, info, &entry, 1);
                   }});
    EXPECT_EQ(decode_image(png, "a.png").width, 16) << compression;
  }
}

TEST(Exif, BrokenBlocksSayNothing) {
  const auto block = exif_block(6, false);
  const auto oriented = [](std::span<const uint8_t> bytes) {
    return exif_orientation(std::as_bytes(bytes));
  };
  ASSERT_EQ(oriented(block), Orientation::kRightTop);
  for (size_t length = 0; length < 20; ++length) {  // the value ends at byte 20
    EXPECT_EQ(oriented(std::span(block).first(length)), std::nullopt) << length;
  }
  for (const uint8_t value : {0, 9, 255}) {
    const auto odd = exif_block(value, true);
    EXPECT_EQ(oriented(odd), Orientation::kTopLeft) << int{value};
  }
}

TEST(Exif, RandomBlocksStayInBounds) {
  for (unsigned seed = 0; seed < 5000; ++seed) {
    auto block = random_samples(seed % 64, seed);
    const std::vector<uint8_t> start{'I', 'I', 42, 0};
    std::copy_n(start.begin(), std::min(start.size(), block.size()), block.begin());
    const Orientation orientation =
        exif_orientation(std::as_bytes(std::span(block))).value_or(Orientation::kTopLeft);
    EXPECT_TRUE(orientation >= Orientation::kTopLeft && orientation <= Orientation::kLeftBottom);
  }
}

}  // namespace
}  // namespace tagclip
