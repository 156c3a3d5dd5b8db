#include "kernels/blend.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/vector_math.h"

namespace tagclip {
namespace {

struct Case {
  WindowLogits logits;
  WindowLayout layout;
  ScoreRule rule;
  Extent photo;
};

at::Tensor random_logits(at::IntArrayRef shape, at::Generator& generator) {
  return at::randn(shape, generator, at::kFloat) * 3;
}

int64_t draw(std::mt19937& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

// Corners along one axis so that windows cover it, the last one flush with the end.
std::vector<int64_t> starts(int64_t length, int64_t window, int64_t stride) {
  std::vector<int64_t> result;
  for (int64_t at = 0; at + window < length; at += stride) result.push_back(at);
  result.push_back(length - window);
  return result;
}

// `classes`: 0 = a few.
Case random_case(uint32_t seed, int64_t classes = 0) {
  std::mt19937 random(seed);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  Case result;
  WindowLayout& layout = result.layout;
  layout.picture = {draw(random, 1, 90), draw(random, 1, 90)};
  layout.window = {draw(random, 1, layout.picture.height), draw(random, 1, layout.picture.width)};
  const int64_t stride_y = draw(random, 1 + layout.window.height / 2, layout.window.height);
  const int64_t stride_x = draw(random, 1 + layout.window.width / 2, layout.window.width);
  for (const int64_t top : starts(layout.picture.height, layout.window.height, stride_y)) {
    for (const int64_t left : starts(layout.picture.width, layout.window.width, stride_x)) {
      layout.corners.push_back({top, left});
    }
  }
  result.photo = {draw(random, 1, classes == 0 ? 150 : 20), draw(random, 1, 150)};

  const auto windows = static_cast<int64_t>(layout.corners.size());
  if (classes == 0) classes = draw(random, 1, 12);
  const int64_t h = draw(random, 1, 12), w = draw(random, 1, 12);
  result.logits.classes = random_logits({windows, classes, h, w}, generator);
  if (seed % 3 != 0) result.logits.trusty = random_logits({windows, 1, h, w}, generator);
  if (seed % 2 == 0) result.logits.presence = random_logits({windows, classes}, generator);
  for (int64_t c = 0; c < classes; ++c) {
    result.rule.deduction.push_back(draw(random, 0, 1) * 0.1f);
    result.rule.weight.push_back(static_cast<TrustyWeight>(draw(random, 0, 2)));
  }
  result.rule.trusty_means_seen = seed % 5 == 0;
  if (seed % 7 == 0) result.rule.link = Link::kSoftmax;
  return result;
}

void expect_agreement(const Case& given) {
  const at::Tensor scores = blend_scores(given.logits, given.layout, given.rule, given.photo);
  const BestClass expected = best_class(scores);
  const BestClass found = blend(given.logits, given.layout, given.rule, given.photo);
  ASSERT_EQ(found.labels.size(), expected.labels.size());
  for (size_t i = 0; i < found.labels.size(); ++i) {
    ASSERT_NEAR(found.scores[i], expected.scores[i], 1e-5) << "pixel " << i;
    if (found.labels[i] == expected.labels[i]) continue;
    const auto y = static_cast<int64_t>(i) / given.photo.width;
    const auto x = static_cast<int64_t>(i) % given.photo.width;
    ASSERT_NEAR(scores[found.labels[i]][y][x].item<float>(), expected.scores[i], 1e-5)
        << "pixel " << i;
  }
}

TEST(Blend, AgreesWithTheReference) {
  for (uint32_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(random_case(seed));
  }
}

TEST(Blend, AgreesWithTheReferenceOnManyClasses) {
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(random_case(seed, seed % 2 ? 300 : 2500));
  }
}

TEST(Blend, DoesNotDependOnTheNumberOfThreads) {
  const Case given = random_case(8);
  const BestClass many = blend(given.logits, given.layout, given.rule, given.photo);
  const int before = at::get_num_threads();
  at::set_num_threads(before == 1 ? 3 : 1);
  const BestClass one = blend(given.logits, given.layout, given.rule, given.photo);
  at::set_num_threads(before);
  EXPECT_EQ(many.labels, one.labels);
  EXPECT_EQ(many.scores, one.scores);
}

TEST(Blend, EqualScoresGoToTheLowestClass) {
  Case given = random_case(4);
  given.logits.classes.fill_(0.5);
  if (given.logits.presence.defined()) given.logits.presence.fill_(1);
  std::ranges::fill(given.rule.deduction, 0.0f);
  std::ranges::fill(given.rule.weight, TrustyWeight::kNone);
  const BestClass found = blend(given.logits, given.layout, given.rule, given.photo);
  EXPECT_EQ(found.labels, std::vector<uint16_t>(found.labels.size(), 0));
}

TEST(Blend, LogitsThatAreNoNumbersNeverWin) {
  Case given = random_case(4);
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
