#pragma once

#include <cstdint>
#include <random>

#include "image/image.h"

namespace tagclip {

// The decisions of the photometric distortion. Its steps in order: brightness, contrast when
// contrast_first, saturation, hue, contrast otherwise.
struct Photometric {
  float brightness = 0;  // added; 0: off
  float contrast = 1;    // factor; 1: off
  float saturation = 1;  // factor; 1: off
  int hue = 0;           // added to OpenCV's hue (0..179), modulo 180; 0: off
  bool contrast_first = true;
};

// Distorts 8-bit pixels; every step clips and truncates to 8 bits.
Image distort(Image image, const Photometric& decision);

// Draws each step with probability 1/2: brightness within 32, contrast and saturation 0.5 to 1.5,
// hue -18 to 17 (the released range); contrast first or last, with equal probability.
Photometric draw_photometric(std::mt19937_64& random);

// --- The conversions, for its loops and their tests ---

// OpenCV's 8-bit HSV: hue in steps of two degrees, saturation and value 0..255. Without
// tables and branches, so that the compiler vectorises loops over pixels.
inline constexpr int kHues = 180;
struct Hsv {
  int hue, saturation, value;
};
struct Rgb {
  int red, green, blue;
};

namespace hsv_detail {

template <typename T>
constexpr T larger(T a, T b) {
  return a > b ? a : b;
}
template <typename T>
constexpr T smaller(T a, T b) {
  return a < b ? a : b;
}
constexpr float to_unit(float x) { return smaller(larger(x, 0.0f), 1.0f); }

// numerator / i in OpenCV's 12-bit fixed point, rounded; unspecified for i = 0.
template <int numerator>
constexpr int reciprocal(int i) {
  const auto divisor = static_cast<float>(larger(i, 1));
  return static_cast<int>((numerator * 8192.0f + divisor) / (2 * divisor));
}

// The level of a channel: `value` with `weight` of its saturation removed. OpenCV's vector code:
// float32 with a fused multiply-add, truncated. (Its scalar code, for the last columns of some
// widths, rounds.)
inline int channel(float saturation, float value, float weight) {
  // The product is exact in double, so this rounds once, as a fused multiply-add does.
  const auto kept = static_cast<float>(1 - double{saturation} * weight);
  return static_cast<int>(value * kept * 255.0f);
}

}  // namespace hsv_detail

// OpenCV's integers exactly, for levels 0..255.
inline Hsv to_hsv(int red, int green, int blue) {
  using namespace hsv_detail;
  const int value = larger(red, larger(green, blue));
  const int range = value - smaller(red, smaller(green, blue));
  const int after_green = blue - red + 2 * range, after_blue = red - green + 4 * range;
  const int not_red = value == green ? after_green : after_blue;
  const int sixth = value == red ? green - blue : not_red;
  const int hue = (sixth * reciprocal<kHues / 6>(range) + 2048) >> 12;
  const int saturation = (range * reciprocal<255>(value) + 2048) >> 12;
  return {hue + ((hue >> 31) & kHues), saturation, value};
}

inline Rgb to_rgb(const Hsv& hsv) {
  using namespace hsv_detail;
  // A channel loses no saturation where it is the largest, all where it is the smallest.
  const float sector = static_cast<float>(hsv.hue) * (6.0f / kHues);
  const float red = to_unit(smaller(sector - 1, 5 - sector));
  const float green = to_unit(larger(1 - sector, sector - 3));
  const float blue = to_unit(larger(3 - sector, sector - 5));
  const float saturation = static_cast<float>(hsv.saturation) * (1 / 255.0f);
  const float value = static_cast<float>(hsv.value) * (1 / 255.0f);
  return {channel(saturation, value, red), channel(saturation, value, green),
          channel(saturation, value, blue)};
}

}  // namespace tagclip
