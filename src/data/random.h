#pragma once

#include <cstdint>
#include <limits>
#include <random>

#include "base/error.h"

namespace tagclip {

// Draws that are the same on every machine: the standard fixes the bits of mt19937_64, but not what
// std::uniform_*_distribution makes of them.

// Uniform in [0, 1), a multiple of 2^-53.
inline double uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
}

// Uniform in [low, high).
inline double uniform(std::mt19937_64& random, double low, double high) {
  return low + (high - low) * uniform(random);
}

// Uniform in 0 .. count-1; count is at least 1.
inline uint64_t uniform_index(std::mt19937_64& random, uint64_t count) {
  TAGCLIP_CHECK(count > 0, "nothing to draw from");
  // Draws from the incomplete last block would favour small indices.
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  const uint64_t last = kMax - (kMax % count + 1) % count;
  uint64_t bits = random();
  while (bits > last) bits = random();
  return bits % count;
}

inline bool coin(std::mt19937_64& random) { return uniform_index(random, 2) == 1; }

}  // namespace tagclip
