#include "train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tagclip {
namespace {

// Expected values: mmcv 1.4's formulas (poly by iteration, linear warm-up), worked out by hand.
TEST(LearningRate, WarmsUpOnTopOfTheDecay) {
  const ScheduleConfig config{.iterations = 20000, .warmup = 1500};
  const double base = 2e-4;
  EXPECT_NEAR(learning_rate(config, base, 0), base * 1e-6, 1e-15);
  const double regular = (base - 1e-6) * std::pow(1 - 750.0 / 20000, 0.9) + 1e-6;
  EXPECT_NEAR(learning_rate(config, base, 750), regular * (1 - 0.5 * (1 - 1e-6)), 1e-15);
}

TEST(LearningRate, DecaysToItsMinimum) {
  const ScheduleConfig config{.iterations = 100, .warmup = 0};
  EXPECT_DOUBLE_EQ(learning_rate(config, 2e-4, 0), 2e-4);
  EXPECT_NEAR(learning_rate(config, 2e-4, 50), (2e-4 - 1e-6) * std::pow(0.5, 0.9) + 1e-6, 1e-15);
  EXPECT_DOUBLE_EQ(learning_rate(config, 2e-4, 100), 1e-6);
}

}  // namespace
}  // namespace tagclip
