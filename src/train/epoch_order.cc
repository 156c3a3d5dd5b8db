#include "train/epoch_order.h"

#include <algorithm>
#include <numeric>

#include "data/random.h"

namespace tagclip {
namespace {

constexpr int64_t kShuffle = -1;  // the slot no sample has

std::vector<int64_t> shuffled(int64_t seed, int64_t items, int64_t epoch) {
  std::vector<int64_t> order(items);
  std::iota(order.begin(), order.end(), int64_t{0});
  std::mt19937_64 random = sample_random(seed, epoch, kShuffle);
  for (size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[uniform_index(random, i)]);
  return order;
}

}  // namespace

std::mt19937_64 sample_random(int64_t seed, int64_t step, int64_t slot) {
  std::seed_seq sequence{seed, step, slot};
  return std::mt19937_64(sequence);
}

std::vector<int64_t> batch_items(int64_t seed, int64_t items, int64_t batch, int64_t step) {
  std::vector<int64_t> chosen, order;
  int64_t epoch = -1;
  for (int64_t position = step * batch; position < (step + 1) * batch; ++position) {
    if (position / items != epoch) order = shuffled(seed, items, epoch = position / items);
    chosen.push_back(order[position % items]);
  }
  return chosen;
}

}  // namespace tagclip
