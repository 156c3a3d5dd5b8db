#pragma once

#include <cstdint>
#include <random>

namespace tagclip {

// A random integer from `low` to `high`. Tests only.
inline int64_t draw(std::mt19937& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

}  // namespace tagclip
