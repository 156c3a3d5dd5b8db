#include "kernels/blend/blend.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/blend/test_blend_cases.h"

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

// The views differ in size and windows, and some have no trusty map or presence.
TEST(Blend, SeveralViewsAreAveragedAtTheSizeOfTheImage) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    const int64_t classes = seed % 20 == 0 ? 600 : 1 + seed % 9;
    const BlendCase first = random_blend(seed, classes);
    std::vector<BlendView> views = {{first.logits, first.layout}};
    for (uint32_t v = 1; v <= 1 + seed % 3; ++v) {
      BlendCase more = random_blend(1000 * v + seed, classes);
      views.push_back({std::move(more.logits), std::move(more.layout)});
    }
    at::Tensor scores = at::zeros({classes, first.image.height, first.image.width});
    for (const auto& [logits, layout] : views) {
      scores += blend_maps(logits, layout, first.rule, first.image) / double(views.size());
    }
    if (first.rule.activation == ScoreActivation::kSoftmax) scores = scores.softmax(0);
    expect_best(blend(views, first.rule, first.image), scores);
    expect_best(blend_by_class(views, first.rule, first.image), scores);
  }
}

TEST(Blend, DoesNotDependOnTheNumberOfThreads) {
  const BlendCase given = random_blend(8);
  const BestClass many = blend(given.logits, given.layout, given.rule, given.image);
  const int before = at::get_num_threads();
  at::set_num_threads(before == 1 ? 3 : 1);
  const BestClass one = blend(given.logits, given.layout, given.rule, given.image);
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
  const BestClass found = blend(given.logits, given.layout, given.rule, given.image);
  EXPECT_EQ(found.labels, std::vector<uint16_t>(found.labels.size(), 0));
}

TEST(Blend, NanNeverWins) {
  BlendCase given = random_blend(4);
  given.logits.classes.fill_(std::nan(""));
  const BestClass found = blend(given.logits, given.layout, given.rule, given.image);
  EXPECT_EQ(found.scores, std::vector<float>(found.scores.size(), -INFINITY));
}

}  // namespace
}  // namespace tagclip
