#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tagclip {

// The pixels of a PNG to be written, and how they are stored.
struct PngContent {
  enum class Layout { kRgb8, kPalette8, kGrey16 };

  int width = 0;
  int height = 0;
  Layout layout = Layout::kRgb8;
  std::span<const uint8_t> samples;  // [height, width, channels], 16 bits in native order
  std::vector<std::array<uint8_t, 3>> palette;  // of kPalette8: at most 256 colours
};

// The file's bytes. Throws Error(kFailure) when libpng gives up.
std::vector<std::byte> encode_png(const PngContent& content);

}  // namespace tagclip
