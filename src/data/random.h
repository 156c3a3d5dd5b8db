#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace tagclip {

// Draws that are the same on every machine: the standard fixes the bits of mt19937_64, but not what
// std::uniform_*_distribution and std::shuffle make of them.

// Uniform in [0, 1), a multiple of 2^-53.
inline double uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
}

// Uniform in [low, high).
inline double uniform(std::mt19937_64& random, double low, double high) {
  return low + (high - low) * uniform(random);
}

// Uniform in 0 .. count-1; count is at least 1.
uint64_t uniform_index(std::mt19937_64& random, uint64_t count);

inline bool coin(std::mt19937_64& random) { return uniform_index(random, 2) == 1; }

// The generator of one sample: slot `slot` of step `step` of a run. Slots below 0 are for draws
// that concern the whole step.
std::mt19937_64 sample_random(int64_t seed, int64_t step, int64_t slot);

// The items of batch `step` of a shuffled sampler: all `items` are visited once per epoch, in an
// order drawn anew for each; batches run on across the ends of epochs. Depends on its arguments
// alone, so a resumed run needs no state.
std::vector<int64_t> shuffled_batch(int64_t seed, int64_t items, int64_t batch, int64_t step);

}  // namespace tagclip
