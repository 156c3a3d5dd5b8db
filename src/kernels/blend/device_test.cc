#include "kernels/blend/device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/blend/device_buffers.h"
#include "kernels/blend/test_blend_cases.h"

namespace tagclip {
namespace {

// The GPU's kernel, one thread after the other.
template <EmulatedBlock::Order kOrder>
BestClass emulated(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                   Extent photo) {
  const BlendBuffers buffers(logits, layout, rule, photo);
  const BlendTask task = buffers.task();
  const auto shared = std::make_unique<BlendTile>();
  for (int tile = 0; tile < task.tiles_down() * task.tiles_across(); ++tile) {
    blend_tile(EmulatedBlock(kBlendThreads, kOrder), task, tile, *shared);
  }
  return buffers.result();
}

constexpr auto kUp = EmulatedBlock::Order::kUp, kDown = EmulatedBlock::Order::kDown;

TEST(BlendTiles, AgreeWithTheReference) {
  for (uint32_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(random_blend(seed), emulated<kUp>);
  }
}

TEST(BlendTiles, AgreeWithTheReferenceOnManyClasses) {
  expect_agreement(random_blend(1, 300), emulated<kUp>);
}

// Tiles that look at places far apart, and at few.
TEST(BlendTiles, AgreeWithTheReferenceAtExtremeRatios) {
  for (const Extent photo : {Extent{1, 1}, Extent{2, 300}, Extent{300, 2}, Extent{9, 33}}) {
    for (uint32_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(at::IntArrayRef({photo.height, photo.width, seed}));
      BlendCase given = random_blend(seed);
      given.photo = photo;
      expect_agreement(given, emulated<kUp>);
    }
  }
}

TEST(BlendTiles, DoNotDependOnTheOrderOfThreads) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    const auto& [logits, layout, rule, photo] = random_blend(seed);
    const BestClass up = emulated<kUp>(logits, layout, rule, photo);
    const BestClass down = emulated<kDown>(logits, layout, rule, photo);
    EXPECT_EQ(up.labels, down.labels);
    EXPECT_EQ(up.scores, down.scores);
  }
}

TEST(BlendTiles, EqualScoresGoToTheLowestClass) {
  BlendCase given = random_blend(4);
  given.logits.classes.fill_(0.5);
  if (given.logits.presence.defined()) given.logits.presence.fill_(1);
  std::ranges::fill(given.rule.seen_bias, 0.0f);
  std::ranges::fill(given.rule.weight, TrustyWeight::kNone);
  const BestClass found = emulated<kUp>(given.logits, given.layout, given.rule, given.photo);
  EXPECT_EQ(found.labels, std::vector<uint16_t>(found.labels.size(), 0));
}

TEST(BlendTiles, LogitsThatAreNoNumbersNeverWin) {
  BlendCase given = random_blend(4);
  given.logits.classes.fill_(std::nan(""));
  const BestClass found = emulated<kUp>(given.logits, given.layout, given.rule, given.photo);
  EXPECT_EQ(found.scores, std::vector<float>(found.scores.size(), -INFINITY));
}

}  // namespace
}  // namespace tagclip
