#include "kernels/mask_loss/device.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "kernels/mask_loss/device_buffers.h"
#include "kernels/mask_loss/test_mask_cases.h"

namespace tagclip {
namespace {

// Runs the kernels in EmulatedBlock.
template <typename Label, EmulatedBlock::Order kOrder>
MaskSums emulated(const at::Tensor& logits, const at::Tensor& labels) {
  const MaskLossBuffers buffers(logits, labels);
  const MaskLossParams<Label> params = buffers.params<Label>();
  for (int64_t i = 0; i < params.images * params.counting_threads(); ++i) count_targets(params, i);
  const auto shared = std::make_unique<MaskLossShared>();
  for (int64_t i = 0; i < params.maps() * params.tiles(); ++i) {
    sum_tile(EmulatedBlock(kMaskThreads, kOrder), params, i, *shared);
  }
  for (int64_t i = 0; i < params.maps() * params.map_size(); ++i) reduce_tiles(params, i);
  return with_gradients(logits, buffers.maps());
}

constexpr auto kAscending = EmulatedBlock::Order::kAscending,
               kDescending = EmulatedBlock::Order::kDescending;

TEST(MaskLossDevice, AgreeWithTheReference) {
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(random_masks(seed), emulated<int64_t, kAscending>, reference_mask_sums);
  }
}

TEST(MaskLossDevice, OneMapPerImageAgreesWithTheReference) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(binary(random_masks(seed)), emulated<int8_t, kAscending>,
                     reference_binary_mask_sums);
  }
}

// Maps of several tiles in each direction, with smaller ones at the ends.
TEST(MaskLossDevice, SeveralTilesPerMapAgreeWithTheReference) {
  const int64_t sizes[][4] = {
      {70, 150, 35, 300}, {40, 65, 90, 64}, {1, 200, 3, 17}, {33, 130, 1, 1}};
  for (const auto& [h, w, height, width] : sizes) {
    SCOPED_TRACE(at::IntArrayRef({h, w, height, width}));
    const MaskCase given = masks_of_size(h, w, height, width);
    expect_agreement(given, emulated<int64_t, kAscending>, reference_mask_sums);
  }
}

TEST(MaskLossDevice, AgreeWithTheReferenceAtFullSize) {
  expect_agreement(full_size(-8, 8), emulated<int64_t, kAscending>, reference_mask_sums);
}

TEST(MaskLossDevice, OneLogitAgreesWithTheReference) {
  expect_agreement(masks_of_size(1, 1, 512, 512), emulated<int64_t, kAscending>,
                   reference_mask_sums);
}

TEST(MaskLossDevice, ImagesWithoutAClassHaveTheFocalSumOnly) {
  MaskCase given = full_size(-4, 4);
  given.labels.fill_(255);
  expect_agreement(given, emulated<int64_t, kAscending>, reference_mask_sums);
}

TEST(MaskLossDevice, LargeLogitsStayFinite) {
  for (const double size : {20.0, 100.0, 1e6}) {
    SCOPED_TRACE(size);
    expect_agreement(full_size(-size, size), emulated<int64_t, kAscending>, reference_mask_sums);
    expect_agreement(full_size(-size, -size), emulated<int64_t, kAscending>, reference_mask_sums);
  }
}

TEST(MaskLossDevice, NanIsNotHidden) {
  MaskCase given = full_size(-1, 1);
  given.logits[0][2][5][5] = std::nan("");
  for (const int64_t labels : {-1, 2}) {
    given.labels.fill_(labels);
    const MaskSums sums = emulated<int64_t, kAscending>(given.logits, given.labels);
    EXPECT_TRUE(sums.focal[0][2].isnan().item<bool>());
    EXPECT_FALSE(sums.focal[0][1].isnan().item<bool>());
  }
}

// A dependence would be a race on a GPU.
TEST(MaskLossDevice, DoNotDependOnTheOrderOfThreads) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    const MaskCase given = random_masks(seed);
    const at::Tensor up = results_of(given, emulated<int64_t, kAscending>);
    EXPECT_TRUE(up.equal(results_of(given, emulated<int64_t, kDescending>)));
  }
}

}  // namespace
}  // namespace tagclip
