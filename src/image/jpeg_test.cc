#include "image/jpeg.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "image/image.h"
#include "image/test_images.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

constexpr int kWidth = 40, kHeight = 24;

double mean_difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  double sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

// The same image in ink: black is 0 everywhere, so that each ink covers one colour.
std::vector<uint8_t> cmyk_of(const Image& image, bool inverted) {
  std::vector<uint8_t> ink;
  for (size_t i = 0; i < image.size(); ++i) {
    for (size_t c = 0; c < 3; ++c) {
      const uint8_t light = image.pixels[i * 3 + c];
      ink.push_back(inverted ? light : 255 - light);
    }
    ink.push_back(inverted ? 255 : 0);
  }
  return ink;
}

TEST(Jpeg, BaselineAndProgressiveHoldTheSamePixels) {
  const Image original = gradient_image(kWidth, kHeight);
  const Image baseline = decode_image(encode_jpeg(original), "a.jpg");
  const Image progressive = decode_image(encode_jpeg(original, {.progressive = true}), "b.jpg");
  EXPECT_LT(mean_difference(original, baseline), 2.0);
  EXPECT_EQ(baseline.pixels, progressive.pixels);
}

TEST(Jpeg, GreyIsRepeated) {
  const std::vector<uint8_t> grey(kWidth * kHeight, 90);
  const Bytes bytes =
      encode_jpeg(kWidth, kHeight, grey, {.input = JCS_GRAYSCALE, .stored = JCS_GRAYSCALE});
  EXPECT_EQ(decode_image(bytes, "grey.jpg").pixels, std::vector<uint8_t>(grey.size() * 3, 90));
}

TEST(Jpeg, StoredAsRgb) {
  const Image original = gradient_image(kWidth, kHeight);
  const Image decoded = decode_image(
      encode_jpeg(original, {.stored = JCS_RGB, .quality = 100, .adobe_marker = true}), "rgb.jpg");
  EXPECT_LT(mean_difference(original, decoded), 1.0);
}

TEST(Jpeg, CmykAndYcckWithAdobesInvertedInk) {
  const Image original = gradient_image(kWidth, kHeight);
  for (const J_COLOR_SPACE stored : {JCS_CMYK, JCS_YCCK}) {
    const Bytes bytes =
        encode_jpeg(kWidth, kHeight, cmyk_of(original, true),
                    {.input = JCS_CMYK, .stored = stored, .quality = 100, .adobe_marker = true});
    EXPECT_LT(mean_difference(original, decode_image(bytes, "ink.jpg")), 2.0) << stored;
  }
}

TEST(Jpeg, CmykWithoutAdobeMarkerIsNotInverted) {
  const Image original = gradient_image(kWidth, kHeight);
  const Bytes bytes = encode_jpeg(kWidth, kHeight, cmyk_of(original, false),
                                  {.input = JCS_CMYK, .stored = JCS_CMYK, .quality = 100});
  EXPECT_LT(mean_difference(original, decode_image(bytes, "ink.jpg")), 2.0);
}

TEST(Jpeg, BlackInkDarkens) {
  // Half of the light passes the black ink, all passes the others.
  std::vector<uint8_t> ink;
  for (int i = 0; i < 64; ++i) ink.insert(ink.end(), {0, 0, 0, 127});
  const Bytes bytes =
      encode_jpeg(8, 8, ink, {.input = JCS_CMYK, .stored = JCS_CMYK, .quality = 100});
  EXPECT_EQ(decode_image(bytes, "ink.jpg").pixels, std::vector<uint8_t>(8 * 8 * 3, 128));
}

TEST(Jpeg, MissingEndMarkerIsATruncation) {
  Bytes bytes = encode_jpeg(gradient_image(kWidth, kHeight));
  bytes.resize(bytes.size() - 2);
  EXPECT_NE(
      bad_input_text([&] { decode_image(bytes, "cut.jpg"); }).find("truncated or damaged JPEG"),
      std::string::npos);
}

TEST(Jpeg, PaddingBeforeTheEndMarkerIsHarmless) {
  const Bytes bytes = encode_jpeg(gradient_image(kWidth, kHeight));
  Bytes padded = bytes;
  padded.insert(padded.end() - 2, 12, std::byte{0});
  EXPECT_EQ(decode_image(padded, "padded.jpg").pixels, decode_image(bytes, "plain.jpg").pixels);
}

// A progressive file whose last scan stands there `count` times.
Bytes repeat_last_scan(int count) {
  // All frequencies at full precision, so that a scan may come again.
  Bytes bytes = encode_jpeg(gradient_image(kWidth, kHeight), {.progressive = true,
                                                              .scans = {{3, {0, 1, 2}, 0, 0, 0, 0},
                                                                        {1, {0}, 1, 63, 0, 0},
                                                                        {1, {1}, 1, 63, 0, 0},
                                                                        {1, {2}, 1, 63, 0, 0}}});
  const std::array marker{std::byte{0xFF}, std::byte{0xDA}};
  const auto last = std::find_end(bytes.begin(), bytes.end(), marker.begin(), marker.end());
  const Bytes scan(last, bytes.end() - 2);
  for (int i = 1; i < count; ++i) bytes.insert(bytes.end() - 2, scan.begin(), scan.end());
  return bytes;
}

// Each scan costs a pass over the whole image, and a few bytes of the file.
TEST(Jpeg, EndlessScansAreRefused) {
  EXPECT_EQ(decode_image(repeat_last_scan(50), "many.jpg").pixels,
            decode_image(repeat_last_scan(1), "one.jpg").pixels);
  EXPECT_NE(bad_input_text([&] {
              decode_image(repeat_last_scan(200), "endless.jpg");
            }).find("more than 100 scans"),
            std::string::npos);
}

}  // namespace
}  // namespace tagclip
