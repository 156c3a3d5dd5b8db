#include "kernels/blend/blend.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/blend/test_blend_cases.h"
#include "kernels/common/fast_math.h"

namespace tagclip {
namespace {

TEST(Blend, AgreesWithTheReference) {
  for (uint32_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(random_blend(seed), blend);
  }
}

TEST(Blend, AgreesWithTheReferenceOnManyClasses) {
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(random_blend(seed, seed % 2 ? 300 : 2500), blend);
  }
}

TEST(Blend, DoesNotDependOnTheNumberOfThreads) {
  const BlendCase given = random_blend(8);
  const BestClass many = blend(given.logits, given.layout, given.rule, given.photo);
  const int before = at::get_num_threads();
  at::set_num_threads(before == 1 ? 3 : 1);
  const BestClass one = blend(given.logits, given.layout, given.rule, given.photo);
  at::set_num_threads(before);
  EXPECT_EQ(many.labels, one.labels);
  EXPECT_EQ(many.scores, one.scores);
}

TEST(Blend, EqualScoresGoToTheLowestClass) {
  BlendCase given = random_blend(4);
  given.logits.classes.fill_(0.5);
  if (given.logits.presence.defined()) given.logits.presence.fill_(1);
  std::ranges::fill(given.rule.seen_bias, 0.0f);
  std::ranges::fill(given.rule.weight, TrustyWeight::kNone);
  const BestClass found = blend(given.logits, given.layout, given.rule, given.photo);
  EXPECT_EQ(found.labels, std::vector<uint16_t>(found.labels.size(), 0));
}

TEST(Blend, LogitsThatAreNoNumbersNeverWin) {
  BlendCase given = random_blend(4);
  given.logits.classes.fill_(std::nan(""));
  const BestClass found = blend(given.logits, given.layout, given.rule, given.photo);
  EXPECT_EQ(found.scores, std::vector<float>(found.scores.size(), -INFINITY));
}

TEST(FastExp, IsExactToSixDigits) {
  for (double x = -86; x <= 86; x += 0.001) {
    const auto rounded = static_cast<float>(x);
    ASSERT_NEAR(fast_exp(rounded) / std::exp(static_cast<double>(rounded)), 1, 6e-6) << x;
  }
  EXPECT_EQ(fast_exp(0), 1.0f);
  EXPECT_TRUE(std::isnan(fast_exp(std::nanf(""))));
}

TEST(FastSigmoid, IsExactToSixDigits) {
  for (double x = -130; x <= 130; x += 0.001) {
    ASSERT_NEAR(fast_sigmoid(static_cast<float>(x)), 1 / (1 + std::exp(-x)), 5e-7) << x;
  }
  EXPECT_EQ(fast_sigmoid(INFINITY), 1.0f);
  EXPECT_NEAR(fast_sigmoid(-INFINITY), 0.0f, 1e-30);
  EXPECT_TRUE(std::isnan(fast_sigmoid(std::nanf(""))));
}

}  // namespace
}  // namespace tagclip
