#include "data/random.h"

#include <limits>
#include <numeric>
#include <utility>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr int64_t kShuffleSlot = -1;

std::vector<int64_t> shuffled(int64_t seed, int64_t items, int64_t epoch) {
  std::vector<int64_t> order(items);
  std::iota(order.begin(), order.end(), int64_t{0});
  std::mt19937_64 random = sample_random(seed, epoch, kShuffleSlot);
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[uniform_index(random, i)]);
  }
  return order;
}

}  // namespace

uint64_t uniform_index(std::mt19937_64& random, uint64_t count) {
  TAGCLIP_CHECK(count > 0, "nothing to draw from");
  // Draws from the incomplete last block would favour small indices.
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  const uint64_t last = kMax - (kMax % count + 1) % count;
  uint64_t bits = random();
  while (bits > last) bits = random();
  return bits % count;
}

std::mt19937_64 sample_random(int64_t seed, int64_t step, int64_t slot) {
  std::seed_seq sequence{seed, step, slot};
  return std::mt19937_64(sequence);
}

std::vector<int64_t> shuffled_batch(int64_t seed, int64_t items, int64_t batch, int64_t step) {
  std::vector<int64_t> chosen, order;
  int64_t epoch = -1;
  for (int64_t position = step * batch; position < (step + 1) * batch; ++position) {
    if (position / items != epoch) order = shuffled(seed, items, epoch = position / items);
    chosen.push_back(order[position % items]);
  }
  return chosen;
}

}  // namespace tagclip
