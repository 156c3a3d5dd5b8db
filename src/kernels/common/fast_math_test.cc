#include "kernels/common/fast_math.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tagclip {
namespace {

TEST(FastExp, IsExactToSixDigits) {
  for (int i = -86'000; i <= 86'000; ++i) {
    const double x = 0.001 * i;
    const auto rounded = static_cast<float>(x);
    ASSERT_NEAR(fast_exp(rounded) / std::exp(static_cast<double>(rounded)), 1, 6e-6) << x;
  }
  EXPECT_EQ(fast_exp(0), 1.0f);
  EXPECT_TRUE(std::isnan(fast_exp(std::nanf(""))));
}

TEST(FastSigmoid, IsExactToSixDigits) {
  for (int i = -130'000; i <= 130'000; ++i) {
    const double x = 0.001 * i;
    ASSERT_NEAR(fast_sigmoid(static_cast<float>(x)), 1 / (1 + std::exp(-x)), 5e-7) << x;
  }
  EXPECT_EQ(fast_sigmoid(INFINITY), 1.0f);
  EXPECT_NEAR(fast_sigmoid(-INFINITY), 0.0f, 1e-30);
  EXPECT_TRUE(std::isnan(fast_sigmoid(std::nanf(""))));
}

TEST(FastLog1p, IsExactToSixDigits) {
  for (int i = 1; i <= 1'000'000; ++i) {
    const double x = 1e-6 * i;
    const auto rounded = static_cast<float>(x);
    ASSERT_NEAR(fast_log1p(rounded) / std::log1p(static_cast<double>(rounded)), 1, 2e-7) << x;
  }
  EXPECT_EQ(fast_log1p(0), 0.0f);
}

TEST(RoughExp2, IsExactToOnePartInTenThousand) {
  for (int i = -3370; i < 3370; ++i) {
    const auto t = static_cast<float>(0.0371 * i);  // -125 to 125
    EXPECT_NEAR(rough_exp2(t) / std::exp2(t), 1, 1e-4);
  }
}

}  // namespace
}  // namespace tagclip
