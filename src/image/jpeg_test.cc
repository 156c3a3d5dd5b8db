#include "image/jpeg.h"

#include <gmock/gmock.h>
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

// The same image in ink, stored as 255 - amount; there is no black, so that each ink covers one
// colour.
std::vector<uint8_t> cmyk_of(const Image& image) {
  std::vector<uint8_t> ink;
  for (size_t i = 0; i < image.size(); ++i) {
    ink.insert(ink.end(), &image.pixels[i * 3], &image.pixels[i * 3] + 3);
    ink.push_back(255);
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

TEST(Jpeg, CmykAndYcckAreInvertedInkWithAndWithoutAdobesMarker) {
  const Image original = gradient_image(kWidth, kHeight);
  const std::pair<J_COLOR_SPACE, bool> kinds[] = {
      {JCS_CMYK, true}, {JCS_CMYK, false}, {JCS_YCCK, true}};
  for (const auto& [stored, marker] : kinds) {
    const Bytes bytes =
        encode_jpeg(kWidth, kHeight, cmyk_of(original),
                    {.input = JCS_CMYK, .stored = stored, .quality = 100, .adobe_marker = marker});
    EXPECT_LT(mean_difference(original, decode_image(bytes, "ink.jpg")), 2.0) << stored << marker;
  }
}

// Expected: Image.open(...).convert("RGB") of Pillow 13.
TEST(Jpeg, InkBecomesLightAsInPillow) {
  std::vector<uint8_t> ink;
  for (int i = 0; i < 64; ++i) ink.insert(ink.end(), {200, 255, 31, 128});
  const Bytes bytes =
      encode_jpeg(8, 8, ink, {.input = JCS_CMYK, .stored = JCS_CMYK, .quality = 100});
  const Image image = decode_image(bytes, "ink.jpg");
  EXPECT_EQ(std::vector<uint8_t>(image.pixels.begin(), image.pixels.begin() + 3),
            (std::vector<uint8_t>{100, 128, 16}));
}

TEST(Jpeg, LackOfTheEndMarkerAloneIsAWarning) {
  for (const JpegOptions& options : {JpegOptions{}, JpegOptions{.progressive = true}}) {
    const Bytes bytes = encode_jpeg(gradient_image(kWidth, kHeight), options);
    const Image whole = decode_image(bytes, "whole.jpg");
    EXPECT_EQ(whole.warning, "");
    for (const size_t cut : {1, 2}) {
      const Image image = decode_image(std::span(bytes).first(bytes.size() - cut), "cut.jpg");
      EXPECT_EQ(image.pixels, whole.pixels);
      EXPECT_EQ(image.warning, "cut.jpg: the JPEG lacks its end marker; all its pixels are there");
    }
  }
}

// A download whose place on the disk was reserved: zeros stand where rows are missing.
TEST(Jpeg, ZerosInPlaceOfTheRestAreAnError) {
  const Image noise{64, 64, random_samples(64 * 64 * 3, 3)};
  Bytes bytes = encode_jpeg(noise);
  std::fill(bytes.begin() + bytes.size() / 2, bytes.end(), std::byte{0});
  EXPECT_THROW(decode_image(bytes, "half.jpg"), Error);
}

TEST(Jpeg, ArithmeticCodingIsReadAndItsCutsAreErrors) {
  const Image original = gradient_image(kWidth, kHeight);
  const Bytes bytes = encode_jpeg(original, {.arithmetic = true});
  EXPECT_EQ(decode_image(bytes, "a.jpg").pixels,
            decode_image(encode_jpeg(original), "b.jpg").pixels);
  for (const size_t cut : {1, 2, 20}) {
    EXPECT_THROW(decode_image(std::span(bytes).first(bytes.size() - cut), "cut.jpg"), Error) << cut;
  }
}

// The frame header of a baseline file, changed.
Bytes with_frame(uint8_t marker, uint8_t bits) {
  Bytes bytes = encode_jpeg(gradient_image(kWidth, kHeight));
  const std::array frame{std::byte{0xFF}, std::byte{0xC0}};
  const auto at = std::search(bytes.begin(), bytes.end(), frame.begin(), frame.end());
  *(at + 1) = static_cast<std::byte>(marker);
  *(at + 4) = static_cast<std::byte>(bits);
  return bytes;
}

TEST(Jpeg, KindsThatAreNotSupportedAreNamed) {
  const auto refusal = [](uint8_t marker, uint8_t bits) {
    return bad_input_text([&] { decode_image(with_frame(marker, bits), "a.jpg"); });
  };
  EXPECT_THAT(refusal(0xC1, 12), testing::HasSubstr("a.jpg: a JPEG of 12 bits per sample is not"));
  EXPECT_THAT(refusal(0xC3, 8), testing::HasSubstr("a.jpg: a lossless JPEG is not supported"));
  EXPECT_THAT(refusal(0xF7, 8), testing::HasSubstr("a.jpg: a JPEG-LS image is not supported"));
  EXPECT_THAT(refusal(0xC5, 8),
              testing::HasSubstr("of a rare kind (its frame has the marker 0xc5"));
  EXPECT_THAT(refusal(0xC3, 8), testing::HasSubstr("djpeg"));
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
