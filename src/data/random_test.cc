#include "data/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"

namespace tagclip {
namespace {

TEST(Random, UniformIsTheTop53Bits) {
  std::mt19937_64 random(7), bits(7);
  for (int i = 0; i < 100; ++i) {
    const double value = uniform(random);
    EXPECT_EQ(value * 0x1p53, static_cast<double>(bits() >> 11));
    EXPECT_GE(value, 0);
    EXPECT_LT(value, 1);
  }
}

TEST(Random, UniformFillsItsInterval) {
  std::mt19937_64 random(1);
  double low = 1, high = 0, sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const double value = uniform(random, -2, 6);
    low = std::min(low, value), high = std::max(high, value), sum += value;
  }
  EXPECT_NEAR(low, -2, 0.01);
  EXPECT_NEAR(high, 6, 0.01);
  EXPECT_NEAR(sum / 10000, 2, 0.1);
}

TEST(Random, IndicesAreEquallyLikely) {
  std::mt19937_64 random(2);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) ++counts.at(uniform_index(random, 7));
  for (int count : counts) EXPECT_NEAR(count, 10000, 400);
}

TEST(Random, DrawsAgainInTheIncompleteLastBlock) {
  // 2^63 + 1 values fit once into 64 bits: about half of all bit patterns must be refused.
  constexpr uint64_t kCount = (uint64_t{1} << 63) + 1;
  std::mt19937_64 random(3), bits(3);
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    uint64_t expected = bits();
    for (; expected >= kCount; expected = bits()) ++refused;
    EXPECT_EQ(uniform_index(random, kCount), expected);
  }
  EXPECT_GT(refused, 50);
}

TEST(Random, TheSameOnEveryMachine) {
  std::mt19937_64 random(0);
  const std::array<uint64_t, 4> indices{uniform_index(random, 1000), uniform_index(random, 1000),
                                        uniform_index(random, 1000), uniform_index(random, 1000)};
  // The generator's first four outputs for seed 0, modulo 1000.
  EXPECT_EQ(indices, (std::array<uint64_t, 4>{694, 67, 833, 278}));
}

TEST(Random, NothingToDrawFromIsABug) {
  std::mt19937_64 random(0);
  EXPECT_THROW(uniform_index(random, 0), InternalError);
}

TEST(ShuffledBatch, VisitsEveryItemOnceAnEpoch) {
  std::vector<int64_t> seen;
  for (int64_t step = 0; step < 10; ++step) {  // 30 positions over 10 items: three epochs
    for (int64_t item : shuffled_batch(1, 10, 3, step)) seen.push_back(item);
  }
  for (int epoch = 0; epoch < 3; ++epoch) {
    const auto begin = seen.begin() + 10 * epoch;
    EXPECT_EQ(std::set<int64_t>(begin, begin + 10).size(), 10u);
  }
  EXPECT_FALSE(std::equal(seen.begin(), seen.begin() + 10, seen.begin() + 10));
}

TEST(ShuffledBatch, DependsOnSeedAndStepAlone) {
  EXPECT_EQ(shuffled_batch(1, 100, 8, 40), shuffled_batch(1, 100, 8, 40));
  EXPECT_NE(shuffled_batch(1, 100, 8, 40), shuffled_batch(2, 100, 8, 40));
}

TEST(ShuffledBatch, ABatchMayBeLargerThanTheSet) {
  const auto items = shuffled_batch(1, 3, 7, 0);
  EXPECT_EQ(items.size(), 7u);
  for (int64_t item : {0, 1, 2}) EXPECT_GE(std::ranges::count(items, item), 2);
}

TEST(SampleRandom, DiffersBySlot) {
  EXPECT_EQ(sample_random(1, 2, 3)(), sample_random(1, 2, 3)());
  EXPECT_NE(sample_random(1, 2, 3)(), sample_random(1, 2, 4)());
  EXPECT_NE(sample_random(1, 2, 3)(), sample_random(1, 3, 3)());
}

}  // namespace
}  // namespace tagclip
