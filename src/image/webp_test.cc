#include "image/webp.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "image/image.h"
#include "image/test_images.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

void append_u32(Bytes& bytes, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8)
    bytes.push_back(static_cast<std::byte>(value >> shift));
}

void append_chunk(Bytes& bytes, std::string_view id, std::span<const uint8_t> content) {
  for (const char c : id) bytes.push_back(static_cast<std::byte>(c));
  append_u32(bytes, static_cast<uint32_t>(content.size()));
  for (const uint8_t byte : content) bytes.push_back(static_cast<std::byte>(byte));
  if (content.size() % 2 != 0) bytes.push_back(std::byte{0});
}

// An extended WebP around the chunk of a simple one, with these flags and chunks behind it.
Bytes extend(const Bytes& simple, int width, int height, uint8_t flags, const Bytes& behind) {
  const std::vector<uint8_t> header{
      flags, 0, 0, 0, static_cast<uint8_t>(width - 1), 0, 0, static_cast<uint8_t>(height - 1),
      0,     0};
  Bytes body;
  append_chunk(body, "VP8X", header);
  body.insert(body.end(), simple.begin() + 12, simple.end());
  body.insert(body.end(), behind.begin(), behind.end());
  Bytes bytes(simple.begin(), simple.begin() + 4);
  append_u32(bytes, static_cast<uint32_t>(body.size() + 4));
  bytes.insert(bytes.end(), simple.begin() + 8, simple.begin() + 12);
  bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

TEST(Webp, LosslessKeepsEveryPixel) {
  const Image image = gradient_image(33, 17);
  EXPECT_EQ(decode_image(encode_webp(image, true), "a.webp").pixels, image.pixels);
}

TEST(Webp, AlphaIsDropped) {
  const Image image = gradient_image(16, 16);
  std::vector<uint8_t> rgba;
  for (size_t i = 0; i < image.size(); ++i) {
    const uint8_t* pixel = &image.pixels[i * 3];
    rgba.insert(rgba.end(), {pixel[0], pixel[1], pixel[2], static_cast<uint8_t>(i % 255 + 1)});
  }
  uint8_t* output = nullptr;
  const size_t size = WebPEncodeLosslessRGBA(rgba.data(), 16, 16, 64, &output);
  const Bytes bytes = to_bytes({output, size});
  WebPFree(output);
  EXPECT_EQ(decode_image(bytes, "a.webp").pixels, image.pixels);
}

TEST(Webp, OrientationIsRead) {
  constexpr uint8_t kHasExif = 0x08;
  const Image image = gradient_image(12, 6);
  Bytes exif;
  append_chunk(exif, "EXIF", exif_block(6, false));
  const Image turned =
      decode_image(extend(encode_webp(image, true), 12, 6, kHasExif, exif), "a.webp");
  EXPECT_EQ(turned.width, 6);
  EXPECT_EQ(turned.height, 12);
}

TEST(Webp, AnimationIsRefused) {
  constexpr uint8_t kIsAnimated = 0x02;
  const Bytes bytes = extend(encode_webp(gradient_image(12, 6), true), 12, 6, kIsAnimated, {});
  EXPECT_NE(bad_input_text([&] { decode_image(bytes, "a.webp"); }).find("animated WebP"),
            std::string::npos);
}

TEST(WebpWriter, StaysNearTheOriginal) {
  const Image image = gradient_image(64, 48);
  const Image read = decode_image(encode_lossy_webp(image, 90), "a.webp");
  ASSERT_EQ(read.pixels.size(), image.pixels.size());
  int64_t difference = 0;
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    difference += std::abs(read.pixels[i] - image.pixels[i]);
  }
  EXPECT_LT(difference, 8 * static_cast<int64_t>(image.pixels.size()));
}

TEST(WebpWriter, QualityTradesSize) {
  const Image image = gradient_image(200, 200);
  EXPECT_LT(encode_lossy_webp(image, 10).size(), encode_lossy_webp(image, 95).size());
}

}  // namespace
}  // namespace tagclip
