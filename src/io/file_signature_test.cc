#include "io/file_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "image/test_images.h"
#include "support/places.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kShared = shared_folder();

std::string describe(std::string_view content) {
  return describe_bytes(std::as_bytes(std::span(content)));
}

std::string describe(const Bytes& bytes) { return describe_bytes(bytes); }

TEST(FileKind, Images) {
  const Image image = gradient_image(8, 8);
  EXPECT_EQ(describe(encode_jpeg(image)), "a JPEG photo");
  EXPECT_EQ(describe(encode_png(8, 8, image.pixels, {})), "a PNG image");
  EXPECT_EQ(describe(encode_webp(image, true)), "a WebP image");
  EXPECT_EQ(describe("GIF89a..."), "a GIF image");
  EXPECT_EQ(describe({"\0\0\0\x18"
                      "ftypheic",
                      12}),
            "a HEIC photo");
  EXPECT_EQ(describe({"\0\x05\x16\x07\0\x02\0\0", 8}), "a macOS resource file (AppleDouble)");
  EXPECT_EQ(describe({"BM\x46\0\0\0\0\0\0\0\x36\0", 12}), "a BMP image");
}

TEST(FileKind, ImagesThatAreNoPhotosHere) {
  using std::string_view_literals::operator""sv;
  const std::pair<std::string_view, const char*> kinds[] = {
      {"P6\n96 64\n255\n"sv, "a PBM, PGM or PPM image"},
      {"P5\n# by hand\n8 8\n"sv, "a PBM, PGM or PPM image"},
      {"P7\nWIDTH 4\n"sv, "a PAM image"},
      {"\0\0\1\0\1\0\x10\x10"sv, "a Windows icon"},
      {"\0\0\2\0\0\0\0\0\0\0\0\0"sv, "a TGA image"},
      {"DDS \x7C\0\0\0"sv, "a DDS texture"},
      {"II+\0\x08\0\0\0"sv, "a BigTIFF image"},
      {"MM\0+\0\x08\0\0"sv, "a BigTIFF image"},
      {"II*\0\x10\0\0\0CR\2\0"sv, "a camera's raw photo"},
      {"\0\0\0\x18"
       "ftypcrx "sv,
       "a camera's raw photo"},
      {"\xFF\x4F\xFF\x51\0\x2F"sv, "a JPEG 2000 image"}};
  for (const auto& [bytes, kind] : kinds) EXPECT_EQ(describe(bytes), kind);
  EXPECT_EQ(describe(std::string(128, '\0') + "DICM"), "a DICOM image");
  for (const char* text : {"P5", "P6 is a model", "the wide road", "Pf. Meier"}) {
    EXPECT_EQ(describe(text), "text") << text;
  }
}

// A first directory with a small version of the photo, and the photo below it, as in a NEF file.
TEST(FileKind, TiffWithTheDirectoriesOfARawPhoto) {
  Bytes tiff = to_bytes(
      std::vector<uint8_t>{'M', 'M',  0, 42, 0, 0, 0, 8, 0, 2,        //
                           0,   0xFE, 0, 4,  0, 0, 0, 1, 0, 0, 0, 1,  // NewSubfileType 1
                           1,   0x4A, 0, 4,  0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0});  // SubIFDs
  EXPECT_EQ(describe(tiff), "a camera's raw photo");
  tiff[21] = std::byte{0};
  EXPECT_EQ(describe(tiff), "a TIFF image");
}

TEST(FileKind, ImagesThatFewProgramsWrite) {
  EXPECT_EQ(describe({"icns\0\0\x10\0ic07", 12}), "a macOS icon");
  EXPECT_EQ(describe({"\x01\xDA\0\x01\0\x02", 6}), "an SGI image");
  EXPECT_EQ(describe("\x0A\x05\x01\x08" + std::string(124, '\0')), "a PCX image");
  EXPECT_EQ(describe(std::string(344, '\1') + std::string("n+1\0", 4)), "a NIfTI image");
  EXPECT_EQ(describe("FLIF44"), "a FLIF image");
  EXPECT_EQ(describe("\xD7\xCD\xC6\x9A"), "a Windows metafile");
  std::string stream;
  for (int i = 0; i < 5; ++i) stream += "G" + std::string(187, '\xFF');
  EXPECT_EQ(describe(stream), "an MPEG video");
}

TEST(FileKind, Text) {
  EXPECT_EQ(describe(""), "an empty file");
  EXPECT_EQ(describe("a photo of a cat\n"), "text");
  EXPECT_EQ(describe("  {\"a\": 1}"), "JSON text");
  EXPECT_EQ(describe("\n<!DOCTYPE HTML>"), "an HTML page");
  EXPECT_EQ(describe("\xEF\xBB\xBF"
                     "caf\xC3\xA9"),
            "text");
  EXPECT_EQ(describe("version https://git-lfs.github.com/spec/v1\n"),
            "a Git LFS pointer in place of the file itself");
  EXPECT_EQ(describe("#define cat_width 16\n"), "an XBM image");
  EXPECT_EQ(describe({"\xFF\xFE\0\0a\0\0\0", 8}), "UTF-32 text");
  EXPECT_EQ(describe("broken \xC3("), "binary data of an unknown kind");
}

TEST(FileKind, LongTextMayBeCutInsideACharacter) {
  std::string text = "x";
  while (text.size() < 8192) text += "\xC3\xA9";
  EXPECT_EQ(describe(text), "text");
}

TEST(FileKind, Models) {
  EXPECT_EQ(describe({"\x10\0\0\0\0\0\0\0{}", 10}), "a safetensors file");
  EXPECT_EQ(describe("GGUF\x03"), "a GGUF model");
  EXPECT_EQ(describe("\x89HDF\r\n\x1A\n"), "an HDF5 file");
  EXPECT_EQ(describe("\x08\x07\x12\x07pytorch"), "an ONNX model");
  EXPECT_EQ(describe({"\x80\x04\x95\0\0", 5}), "a Python pickle");
}

TEST(FileKind, ReferenceCheckpoints) {
  const auto folder = kShared / "golden/checkpoints";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no reference data at " << folder;
  const std::string zip = "a PyTorch zip archive (.pt, .pth, .bin)";
  EXPECT_EQ(describe_file(folder / "openai_torchscript.pt"), zip);
  EXPECT_EQ(describe_file(folder / "openai_state_dict.pt"), zip);
  EXPECT_EQ(describe_file(folder / "open_clip_pytorch_model.bin"), zip);
  EXPECT_EQ(describe_file(folder / "mmseg_iter_20000.pth"), zip);
  EXPECT_EQ(describe_file(folder / "mmseg_iter_20000_legacy.pth"), "a legacy PyTorch pickle");
  EXPECT_EQ(describe_file(folder / "open_clip_model.safetensors"), "a safetensors file");
  EXPECT_EQ(describe_file(folder / "open_clip_config.json"), "JSON text");
  EXPECT_EQ(describe_file(folder / "malformed/html_error_page.pt"), "an HTML page");
  EXPECT_EQ(describe_file(folder / "malformed/text_renamed.pt"), "text");
  for (const auto& entry : std::filesystem::directory_iterator(folder / "malformed")) {
    EXPECT_FALSE(describe_file(entry.path()).empty()) << entry.path();
  }
}

TEST(FileKind, AnyBytesHaveADescription) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    const auto bytes = random_samples(seed % 300, seed);
    EXPECT_FALSE(describe_bytes(std::as_bytes(std::span(bytes))).empty());
  }
  const std::string zip = "PK\x03\x04";
  for (size_t length = 0; length < 40; ++length) {  // cut inside the zip header
    EXPECT_EQ(describe(zip + std::string(length, '\xFF')), "a zip archive");
  }
}

TEST(FileKind, UnreadablePathsAreErrors) {
  TestDir dir;
  EXPECT_THAT(bad_input_text([&] { describe_file(dir / "none"); }), HasSubstr("No such file"));
  EXPECT_THAT(bad_input_text([&] { describe_file(dir.path()); }), HasSubstr("it is a folder"));
}

}  // namespace
}  // namespace tagclip
