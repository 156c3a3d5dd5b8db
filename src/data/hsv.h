#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace tagclip {

// OpenCV's 8-bit HSV: hue in steps of two degrees, saturation and value 0..255.
inline constexpr int kHues = 180;
struct Hsv {
  uint8_t hue, saturation, value;
};

namespace hsv_detail {

// numerator / i in 12-bit fixed point, rounded; 0 for i = 0.
constexpr std::array<int, 256> reciprocals(int numerator) {
  std::array<int, 256> table{};
  for (int i = 1; i < 256; ++i) table[i] = ((numerator << 13) + i) / (2 * i);
  return table;
}
inline constexpr auto kSaturation = reciprocals(255);
inline constexpr auto kHue = reciprocals(kHues / 6);

// How much of the saturation each of red, green and blue loses at each hue: 0 for the channel that
// leads, 1 for the one that is absent, a part for the third.
constexpr std::array<std::array<float, 3>, kHues> channel_weights() {
  std::array<std::array<float, 3>, kHues> weights{};
  for (int hue = 0; hue < kHues; ++hue) {
    const float position = static_cast<float>(hue) * (6.0f / kHues);
    const int sector = static_cast<int>(position);
    const float falling = position - static_cast<float>(sector);
    const float rising = 1 - falling;
    const std::array<std::array<float, 3>, 6> sectors{{{0, rising, 1},
                                                       {falling, 0, 1},
                                                       {1, 0, rising},
                                                       {1, falling, 0},
                                                       {rising, 1, 0},
                                                       {0, 1, falling}}};
    weights[hue] = sectors[sector];
  }
  return weights;
}
inline constexpr auto kWeights = channel_weights();

}  // namespace hsv_detail

// Exactly OpenCV's integers.
inline Hsv to_hsv(uint8_t red, uint8_t green, uint8_t blue) {
  const int value = std::max({red, green, blue});
  const int range = value - std::min({red, green, blue});
  const int sixth = value == red     ? green - blue
                    : value == green ? blue - red + 2 * range
                                     : red - green + 4 * range;
  const int hue = (sixth * hsv_detail::kHue[range] + 2048) >> 12;
  const int saturation = (range * hsv_detail::kSaturation[value] + 2048) >> 12;
  return {static_cast<uint8_t>(hue < 0 ? hue + kHues : hue), static_cast<uint8_t>(saturation),
          static_cast<uint8_t>(value)};
}

// OpenCV's vector code: float32 with a fused multiply-add, truncated. (Its scalar code, for the
// last columns of some widths, rounds.)
inline void to_rgb(const Hsv& hsv, uint8_t* rgb) {
  const float saturation = static_cast<float>(hsv.saturation) * (1 / 255.0f);
  const float value = static_cast<float>(hsv.value) * (1 / 255.0f);
  for (int c = 0; c < 3; ++c) {
    // The product is exact in double, so this rounds once, as a fused multiply-add does.
    const auto kept = static_cast<float>(1 - double{saturation} * hsv_detail::kWeights[hsv.hue][c]);
    rgb[c] = static_cast<uint8_t>(value * kept * 255.0f);
  }
}

}  // namespace tagclip
