#include "kernels/blend/device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/blend/device_buffers.h"
#include "kernels/blend/test_blend_cases.h"

namespace tagclip {
namespace {

// The kernel in EmulatedBlock.
template <EmulatedBlock::Order kOrder>
BestClass emulated(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                   Extent image) {
  const BlendBuffers buffers(logits, layout, rule, image);
  const BlendParams params = buffers.params();
  const auto shared = std::make_unique<BlendShared>();
  for (int tile = 0; tile < params.tiles_down() * params.tiles_across(); ++tile) {
    blend_tile(EmulatedBlock(kBlendThreads, kOrder), params, tile, *shared);
  }
  return buffers.result();
}

constexpr auto kAscending = EmulatedBlock::Order::kAscending,
               kDescending = EmulatedBlock::Order::kDescending;

TEST(BlendDevice, AgreeWithTheReference) {
  for (uint32_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(random_blend(seed), emulated<kAscending>);
  }
}

TEST(BlendDevice, AgreeWithTheReferenceOnManyClasses) {
  expect_agreement(random_blend(1, 300), emulated<kAscending>);
}

// Tiles whose pixels skip many rows of the resized image, or share a few.
TEST(BlendDevice, AgreeWithTheReferenceAtExtremeRatios) {
  for (const Extent image : {Extent{1, 1}, Extent{2, 300}, Extent{300, 2}, Extent{9, 33}}) {
    for (uint32_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(at::IntArrayRef({image.height, image.width, seed}));
      BlendCase given = random_blend(seed);
      given.image = image;
      expect_agreement(given, emulated<kAscending>);
    }
  }
}

TEST(BlendDevice, DoNotDependOnTheOrderOfThreads) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    const auto& [logits, layout, rule, image] = random_blend(seed);
    const BestClass up = emulated<kAscending>(logits, layout, rule, image);
    const BestClass down = emulated<kDescending>(logits, layout, rule, image);
    EXPECT_EQ(up.labels, down.labels);
    EXPECT_EQ(up.scores, down.scores);
  }
}

TEST(BlendDevice, EqualScoresGoToTheLowestClass) {
  BlendCase given = random_blend(4);
  given.logits.classes.fill_(0.5);
  if (given.logits.presence.defined()) given.logits.presence.fill_(1);
  std::ranges::fill(given.rule.seen_bias, 0.0f);
  std::ranges::fill(given.rule.weight, TrustyWeight::kNone);
  const BestClass found = emulated<kAscending>(given.logits, given.layout, given.rule, given.image);
  EXPECT_EQ(found.labels, std::vector<uint16_t>(found.labels.size(), 0));
}

TEST(BlendDevice, NanNeverWins) {
  BlendCase given = random_blend(4);
  given.logits.classes.fill_(std::nan(""));
  const BestClass found = emulated<kAscending>(given.logits, given.layout, given.rule, given.image);
  EXPECT_EQ(found.scores, std::vector<float>(found.scores.size(), -INFINITY));
}

}  // namespace
}  // namespace tagclip
