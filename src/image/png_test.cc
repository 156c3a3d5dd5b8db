#include "image/png.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>

#include "base/files.h"
#include "image/image.h"
#include "image/label_map.h"
#include "image/test_images.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

constexpr int kWidth = 13, kHeight = 9;
constexpr size_t kPixels = kWidth * kHeight;

// One colour type of the standard at one depth.
struct Kind {
  int colour_type;
  int bit_depth;
  int channels;
};

constexpr Kind kKinds[] = {
    {PNG_COLOR_TYPE_GRAY, 1, 1},        {PNG_COLOR_TYPE_GRAY, 2, 1},
    {PNG_COLOR_TYPE_GRAY, 4, 1},        {PNG_COLOR_TYPE_GRAY, 8, 1},
    {PNG_COLOR_TYPE_GRAY, 16, 1},       {PNG_COLOR_TYPE_GRAY_ALPHA, 8, 2},
    {PNG_COLOR_TYPE_GRAY_ALPHA, 16, 2}, {PNG_COLOR_TYPE_RGB, 8, 3},
    {PNG_COLOR_TYPE_RGB, 16, 3},        {PNG_COLOR_TYPE_RGB_ALPHA, 8, 4},
    {PNG_COLOR_TYPE_RGB_ALPHA, 16, 4},  {PNG_COLOR_TYPE_PALETTE, 1, 1},
    {PNG_COLOR_TYPE_PALETTE, 2, 1},     {PNG_COLOR_TYPE_PALETTE, 4, 1},
    {PNG_COLOR_TYPE_PALETTE, 8, 1},
};

std::vector<png_color> some_palette(int bit_depth) {
  std::vector<png_color> palette;
  for (int i = 0; i < 1 << bit_depth; ++i) {
    palette.push_back({static_cast<png_byte>(i * 7), static_cast<png_byte>(255 - i),
                       static_cast<png_byte>(i * 31)});
  }
  return palette;
}

// Packs samples as PNG does: the first in the highest bits, rows padded to bytes, 16 bits
// big-endian.
std::vector<uint8_t> pack(const std::vector<uint16_t>& samples, const Kind& kind) {
  std::vector<uint8_t> rows;
  const size_t per_row = static_cast<size_t>(kWidth) * static_cast<size_t>(kind.channels);
  for (size_t start = 0; start < samples.size(); start += per_row) {
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = start; i < start + per_row; ++i) {
      bits = bits << kind.bit_depth | samples[i];
      held += kind.bit_depth;
      for (; held >= 8; held -= 8) rows.push_back(static_cast<uint8_t>(bits >> (held - 8)));
    }
    if (held > 0) rows.push_back(static_cast<uint8_t>(bits << (8 - held)));
  }
  return rows;
}

std::vector<uint16_t> some_samples(const Kind& kind) {
  std::mt19937 random(static_cast<unsigned>(kind.colour_type * 100 + kind.bit_depth));
  std::vector<uint16_t> samples(kPixels * static_cast<size_t>(kind.channels));
  for (uint16_t& sample : samples) {
    sample = static_cast<uint16_t>(random() & ((1u << kind.bit_depth) - 1));
  }
  return samples;
}

// The samples in 8 bits, as the standard defines them.
std::vector<uint8_t> expected_rgb(const std::vector<uint16_t>& samples, const Kind& kind) {
  const auto palette = some_palette(kind.bit_depth < 8 ? kind.bit_depth : 8);
  const auto to_8_bits = [&](uint16_t sample) {
    if (kind.bit_depth == 16) return static_cast<uint8_t>(sample >> 8);
    return static_cast<uint8_t>(sample * 255 / ((1 << kind.bit_depth) - 1));
  };
  std::vector<uint8_t> rgb;
  for (size_t i = 0; i < samples.size(); i += static_cast<size_t>(kind.channels)) {
    if (kind.colour_type == PNG_COLOR_TYPE_PALETTE) {
      const png_color& colour = palette[samples[i]];
      rgb.insert(rgb.end(), {colour.red, colour.green, colour.blue});
      continue;
    }
    const size_t step = kind.channels < 3 ? 0 : 1;
    for (size_t c = 0; c < 3; ++c) rgb.push_back(to_8_bits(samples[i + c * step]));
  }
  return rgb;
}

Bytes encode(const std::vector<uint16_t>& samples, const Kind& kind, bool interlaced) {
  PngOptions options{
      .colour_type = kind.colour_type, .bit_depth = kind.bit_depth, .interlaced = interlaced};
  if (kind.colour_type == PNG_COLOR_TYPE_PALETTE) options.palette = some_palette(kind.bit_depth);
  return encode_png(kWidth, kHeight, pack(samples, kind), options);
}

TEST(Png, EveryColourTypeBecomesRgb) {
  for (const Kind& kind : kKinds) {
    for (const bool interlaced : {false, true}) {
      const auto samples = some_samples(kind);
      const Image image = decode_image(encode(samples, kind, interlaced), "a.png");
      EXPECT_EQ(image.pixels, expected_rgb(samples, kind))
          << "colour type " << kind.colour_type << ", " << kind.bit_depth << " bits, interlaced "
          << interlaced;
    }
  }
}

TEST(Png, LabelMapsAreIndicesNotColours) {
  TestDir dir;
  for (const Kind& kind : kKinds) {
    if (kind.channels != 1) continue;
    const auto samples = some_samples(kind);
    AtomicFile file(dir / "label.png");
    file.write(encode(samples, kind, true));
    file.commit();
    std::vector<uint16_t> expected = samples;
    if (kind.bit_depth == 8) std::ranges::replace(expected, uint16_t{255}, kIgnoreIndex);
    EXPECT_EQ(read_label_map(dir / "label.png").labels, expected)
        << "colour type " << kind.colour_type << ", " << kind.bit_depth << " bits";
  }
}

TEST(Png, TransparencyIsDropped) {
  const Kind kind{PNG_COLOR_TYPE_PALETTE, 4, 1};
  const auto samples = some_samples(kind);
  const Bytes bytes = encode_png(kWidth, kHeight, pack(samples, kind),
                                 {.colour_type = kind.colour_type,
                                  .bit_depth = kind.bit_depth,
                                  .palette = some_palette(4),
                                  .palette_alpha = {0, 128, 255, 7}});
  EXPECT_EQ(decode_image(bytes, "a.png").pixels, expected_rgb(samples, kind));
}

TEST(Png, TransparentColourIsKept) {
  const Image image = gradient_image(kWidth, kHeight);
  const Bytes bytes =
      encode_png(kWidth, kHeight, image.pixels, {.extra = [](png_structp png, png_infop info) {
                   png_color_16 clear{};
                   png_set_tRNS(png, info, nullptr, 0, &clear);
                 }});
  EXPECT_EQ(decode_image(bytes, "a.png").pixels, image.pixels);
}

TEST(Png, GammaIsIgnored) {
  const Image image = gradient_image(kWidth, kHeight);
  const Bytes bytes =
      encode_png(kWidth, kHeight, image.pixels,
                 {.extra = [](png_structp png, png_infop info) { png_set_gAMA(png, info, 1.0); }});
  EXPECT_EQ(decode_image(bytes, "a.png").pixels, image.pixels);
}

TEST(Png, ChecksumErrorIsDamage) {
  Bytes bytes = encode_png(kWidth, kHeight, gradient_image(kWidth, kHeight).pixels, {});
  bytes[bytes.size() - 14] ^= std::byte{1};  // in the pixel data's checksum, before the 12 of IEND
  EXPECT_NE(bad_input_text([&] { decode_image(bytes, "a.png"); }).find("damaged PNG"),
            std::string::npos);
}

TEST(Png, HugeHeaderIsRefusedBeforeMemoryIsTaken) {
  // Its IHDR claims 2^30 x 2^30 pixels.
  Bytes bytes = encode_png(1, 1, gradient_image(1, 1).pixels, {});
  bytes[16] = bytes[20] = std::byte{0x40};
  constexpr size_t kHeaderAt = 12, kHeaderBytes = 17;
  const auto* chunk = reinterpret_cast<const Bytef*>(&bytes[kHeaderAt]);
  const auto checksum = static_cast<uint32_t>(crc32(0, chunk, kHeaderBytes));
  for (size_t i = 0; i < 4; ++i) {
    bytes[kHeaderAt + kHeaderBytes + i] = static_cast<std::byte>(checksum >> (24 - 8 * i));
  }
  EXPECT_NE(bad_input_text([&] { decode_image(bytes, "a.png"); }).find("max_pixels"),
            std::string::npos);
}

TEST(Png, ChunkLengthsAreHeldToTheFile) {
  constexpr size_t kExifAt = 8 + 25;  // behind the signature and IHDR
  Bytes bytes = encode_png(1, 1, gradient_image(1, 1).pixels, {.exif = exif_block(6, true)});
  ASSERT_EQ(bytes[kExifAt + 4], std::byte{'e'});
  bytes[kExifAt] = std::byte{0x40};  // claims a gigabyte, which libpng would ask for
  EXPECT_NE(bad_input_text([&] { decode_image(bytes, "a.png"); }).find("inside a chunk"),
            std::string::npos);
}

TEST(WritePng, RoundTrip) {
  TestDir dir;
  const Image image = gradient_image(31, 23);
  write_png(dir / "a.png", image);
  const Image read = read_image(dir / "a.png");
  EXPECT_EQ(read.width, 31);
  EXPECT_EQ(read.height, 23);
  EXPECT_EQ(read.pixels, image.pixels);
}

TEST(WritePng, NamesTheFolderItCannotWriteTo) {
  try {
    write_png("missing-folder/a.png", gradient_image(2, 2));
    FAIL() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailure);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("missing-folder/a.png"));
  }
}

TEST(Png, LackOfTheEndChunkAloneIsAWarning) {
  const Image original = gradient_image(20, 10);
  const Bytes bytes = encode_png(20, 10, original.pixels, {});
  for (size_t cut = 1; cut <= 12; ++cut) {
    const auto part = std::span(bytes).first(bytes.size() - cut);
    const Image image = decode_image(part, "cut.png");
    EXPECT_EQ(image.pixels, original.pixels);
    EXPECT_EQ(image.warning, "cut.png: the PNG lacks its end chunk; all its pixels are there");
    EXPECT_THROW(decode_png_samples(part, "cut.png", {}), Error);  // labels must be whole
  }
}

TEST(Png, DarkSixteenBitsAreAWarning) {
  const auto grey = [](uint8_t high, uint8_t low) {
    const std::vector<uint8_t> rows{0, 0, high, low};
    return decode_image(
        encode_png(2, 1, rows, {.colour_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 16}), "a.png");
  };
  const Image dark = grey(0x0F, 0xFF);
  EXPECT_EQ(dark.pixels, (std::vector<uint8_t>{0, 0, 0, 15, 15, 15}));
  EXPECT_THAT(dark.warning,
              testing::AllOf(testing::HasSubstr("a.png: "), testing::HasSubstr("4095"),
                             testing::HasSubstr("12 bits"), testing::HasSubstr("multiply 16")));
  EXPECT_NE(grey(0x00, 0xFF).warning, "");  // 8 bits in 16
  EXPECT_EQ(grey(0x7F, 0x00).warning, "");
  EXPECT_EQ(grey(0, 0).warning, "");  // black says nothing
}

TEST(Png, CrushedForIosIsNamed) {
  Bytes bytes = encode_png(4, 4, gradient_image(4, 4).pixels, {});
  const std::vector<uint8_t> chunk{0, 0, 0, 4, 'C', 'g', 'B', 'I', 0x50, 0, 0x20, 6, 0, 0, 0, 0};
  const Bytes inserted = to_bytes(chunk);
  bytes.insert(bytes.begin() + 8, inserted.begin(), inserted.end());
  EXPECT_THAT(
      bad_input_text([&] { decode_image(bytes, "a.png"); }),
      testing::AllOf(testing::HasSubstr("crushed for iOS"), testing::HasSubstr("pngcrush")));
}

}  // namespace
}  // namespace tagclip
