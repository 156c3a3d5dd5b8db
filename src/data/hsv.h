#pragma once

#include <cstdint>

namespace tagclip {

// OpenCV's 8-bit HSV: hue in steps of two degrees, saturation and value 0..255. Written without
// tables and branches, so that loops over pixels become vector instructions.
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

// numerator / i in OpenCV's 12-bit fixed point, rounded; for i = 0, where nobody looks, anything.
template <int numerator>
constexpr int reciprocal(int i) {
  const auto divisor = static_cast<float>(larger(i, 1));
  return static_cast<int>((numerator * 8192.0f + divisor) / (2 * divisor));
}

// A level of `value` that loses `weight` of its saturation. OpenCV's vector code: float32 with a
// fused multiply-add, truncated. (Its scalar code, for the last columns of some widths, rounds.)
inline int channel(float saturation, float value, float weight) {
  // The product is exact in double, so this rounds once, as a fused multiply-add does.
  const auto kept = static_cast<float>(1 - double{saturation} * weight);
  return static_cast<int>(value * kept * 255.0f);
}

}  // namespace hsv_detail

// Exactly OpenCV's integers, of levels 0..255.
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
  // A channel loses nothing where it leads, all saturation where it is absent; between, a part.
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
