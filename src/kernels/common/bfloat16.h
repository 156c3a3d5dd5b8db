#pragma once

#include <bit>
#include <cstdint>

namespace tagclip {

// The nearest bfloat16, the upper half of a float; of two as near the even one.
inline uint16_t to_bfloat16(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

inline float from_bfloat16(uint16_t x) { return std::bit_cast<float>(uint32_t{x} << 16); }

// x = high + low to 16 bits: high is the nearest bfloat16, low what is left of x.
inline void split(float x, uint16_t& high, uint16_t& low) {
  high = to_bfloat16(x);
  low = to_bfloat16(x - from_bfloat16(high));
}

}  // namespace tagclip
