#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <vector>

#include "kernels/blend/blend.h"
#include "kernels/blend/reference.h"
#include "kernels/common/test_random.h"

namespace tagclip {

// Random logits of windows that cover an image. Tests only.
struct BlendCase {
  WindowLogits logits;
  WindowLayout layout;
  ScoreRule rule;
  Extent image;
};

inline at::Tensor random_logits(at::IntArrayRef shape, at::Generator& generator) {
  return at::randn(shape, generator, at::kFloat) * 3;
}

// Window positions that cover one axis; the last window ends with the axis.
inline std::vector<int64_t> starts(int64_t length, int64_t window, int64_t stride) {
  std::vector<int64_t> result;
  for (int64_t at = 0; at + window < length; at += stride) result.push_back(at);
  result.push_back(length - window);
  return result;
}

// `classes`: 0 = a few.
inline BlendCase random_blend(uint32_t seed, int64_t classes = 0) {
  std::mt19937 random(seed);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  BlendCase result;
  WindowLayout& layout = result.layout;
  layout.resized = {draw(random, 1, 90), draw(random, 1, 90)};
  layout.window = {draw(random, 1, layout.resized.height), draw(random, 1, layout.resized.width)};
  const int64_t stride_y = draw(random, 1 + layout.window.height / 2, layout.window.height);
  const int64_t stride_x = draw(random, 1 + layout.window.width / 2, layout.window.width);
  for (const int64_t top : starts(layout.resized.height, layout.window.height, stride_y)) {
    for (const int64_t left : starts(layout.resized.width, layout.window.width, stride_x)) {
      layout.corners.push_back({top, left});
    }
  }
  layout.tapered = seed % 4 == 1;
  result.image = {draw(random, 1, classes == 0 ? 150 : 20), draw(random, 1, 150)};

  const auto windows = static_cast<int64_t>(layout.corners.size());
  if (classes == 0) classes = draw(random, 1, 12);
  const int64_t h = draw(random, 1, 12), w = draw(random, 1, 12);
  result.logits.classes = random_logits({windows, classes, h, w}, generator);
  if (seed % 3 != 0) result.logits.trusty = random_logits({windows, 1, h, w}, generator);
  if (seed % 2 == 0) result.logits.presence = random_logits({windows, classes}, generator);
  for (int64_t c = 0; c < classes; ++c) {
    result.rule.seen_bias.push_back(draw(random, 0, 1) * 0.1f);
    result.rule.weight.push_back(static_cast<TrustyWeight>(draw(random, 0, 2)));
  }
  result.rule.trusty_means_seen = seed % 5 == 0;
  if (seed % 7 == 0) result.rule.activation = ScoreActivation::kSoftmax;
  return result;
}

using Blend = BestClass(const WindowLogits& logits, const WindowLayout& layout,
                        const ScoreRule& rule, Extent image);

// Checks what blend.h promises against the reference's scores [C, H, W].
inline void expect_best(const BestClass& found, const at::Tensor& scores) {
  const BestClass expected = best_class(scores);
  ASSERT_EQ(found.labels.size(), expected.labels.size());
  for (size_t i = 0; i < found.labels.size(); ++i) {
    ASSERT_NEAR(found.scores[i], expected.scores[i], 1e-5) << "pixel " << i;
    if (found.labels[i] == expected.labels[i]) continue;
    const auto y = static_cast<int64_t>(i) / scores.size(2);
    const auto x = static_cast<int64_t>(i) % scores.size(2);
    ASSERT_NEAR(scores[found.labels[i]][y][x].item<float>(), expected.scores[i], 1e-5)
        << "pixel " << i;
  }
}

inline void expect_agreement(const BlendCase& given, Blend* blend_function) {
  expect_best(blend_function(given.logits, given.layout, given.rule, given.image),
              reference_scores(given.logits, given.layout, given.rule, given.image));
}

}  // namespace tagclip
