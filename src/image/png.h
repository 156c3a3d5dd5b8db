#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "image/image.h"

namespace tagclip {

bool is_png(std::span<const std::byte> bytes);

// All three readers expect `bytes` to start with PNG's signature and check the size in the header
// against `limits` before decoding; `name` stands for the file in messages. They throw
// Error(kBadInput) for damaged or truncated files.

// Any colour type as 8-bit RGB as it is stored; alpha is dropped.
Image decode_png(std::span<const std::byte> bytes, const std::string& name,
                 const ImageLimits& limits);

struct PngHeader {
  enum class Colours { kGrey, kGreyAlpha, kPalette, kRgb, kRgbAlpha };

  int width = 0;
  int height = 0;
  int bit_depth = 0;  // of a sample: 1 to 16
  Colours colours = Colours::kGrey;
};
PngHeader read_png_header(std::span<const std::byte> bytes, const std::string& name,
                          const ImageLimits& limits);

// The samples [height, width, channels] as stored, indices of a palette for one: a byte for a
// sample of 1 to 8 bits, two in native order for 16 bits.
struct PngSampleRows {
  PngHeader header;
  std::vector<uint8_t> samples;
};
// `accept` may refuse a header by throwing, before any sample is decoded.
PngSampleRows decode_png_samples(std::span<const std::byte> bytes, const std::string& name,
                                 const ImageLimits& limits,
                                 const std::function<void(const PngHeader&)>& accept = {});

// The pixels of a PNG to be written, and how they are stored.
struct PngContent {
  enum class Layout { kRgb8, kPalette8, kGrey8, kGrey16 };

  int width = 0;
  int height = 0;
  Layout layout = Layout::kRgb8;
  std::span<const uint8_t> samples;  // [height, width, channels], 16 bits in native order
  std::vector<std::array<uint8_t, 3>> palette;  // of kPalette8: at most 256 colours
};

// The file's bytes. Throws Error(kFailure) when libpng gives up.
std::vector<std::byte> encode_png(const PngContent& content);
std::vector<std::byte> encode_png(const Image& image);

// Write a PNG; it appears whole or not at all. Throw Error(kFailure) naming the path.
void write_png(const std::filesystem::path& path, const PngContent& content);
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace tagclip
