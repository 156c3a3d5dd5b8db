#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace tagclip {

// A generator for one sample of one step of a run.
std::mt19937_64 sample_random(int64_t seed, int64_t step, int64_t slot);

// The items of one batch when all `items` are visited once an epoch, shuffled anew in each; batches
// go on across the ends of epochs. Depends on nothing but its arguments.
std::vector<int64_t> batch_items(int64_t seed, int64_t items, int64_t batch, int64_t step);

}  // namespace tagclip
