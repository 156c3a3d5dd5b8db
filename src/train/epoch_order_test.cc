#include "train/epoch_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace tagclip {
namespace {

TEST(BatchItems, VisitsEveryItemOnceAnEpoch) {
  std::vector<int64_t> seen;
  for (int64_t step = 0; step < 10; ++step) {  // 30 positions over 10 items: three epochs
    for (int64_t item : batch_items(1, 10, 3, step)) seen.push_back(item);
  }
  for (int epoch = 0; epoch < 3; ++epoch) {
    const auto begin = seen.begin() + 10 * epoch;
    EXPECT_EQ(std::set<int64_t>(begin, begin + 10).size(), 10u);
  }
  EXPECT_FALSE(std::equal(seen.begin(), seen.begin() + 10, seen.begin() + 10));
}

TEST(BatchItems, DependsOnSeedAndStepAlone) {
  EXPECT_EQ(batch_items(1, 100, 8, 40), batch_items(1, 100, 8, 40));
  EXPECT_NE(batch_items(1, 100, 8, 40), batch_items(2, 100, 8, 40));
}

TEST(BatchItems, ABatchMayBeLargerThanTheSet) {
  const auto items = batch_items(1, 3, 7, 0);
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
