#pragma once

#include <cmath>

namespace tagclip {

// Rounds to that many decimals, for numbers that people read in JSON.
inline double rounded(double value, int decimals) {
  const double scale = std::pow(10.0, decimals);
  return std::round(value * scale) / scale;
}

// Rounds to the nearest whole number, halves upwards.
inline int rounded_half_up(double value) { return static_cast<int>(std::floor(value + 0.5)); }

}  // namespace tagclip
