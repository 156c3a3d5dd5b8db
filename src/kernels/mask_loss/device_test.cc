#include "kernels/mask_loss/device.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "kernels/mask_loss/device_buffers.h"
#include "kernels/mask_loss/test_mask_cases.h"

namespace tagclip {
namespace {

// The GPU's kernels, one thread after the other.
template <typename Label, EmulatedBlock::Order kOrder>
MaskSums emulated(const at::Tensor& logits, const at::Tensor& labels) {
  const MaskBuffers buffers(logits, labels);
  const MaskTask<Label> task = buffers.task<Label>();
  for (int64_t i = 0; i < task.photos * task.runs(); ++i) count_targets(task, i);
  const auto shared = std::make_unique<MaskTile>();
  for (int64_t i = 0; i < task.maps() * task.tiles(); ++i) {
    sum_tile(EmulatedBlock(kMaskThreads, kOrder), task, i, *shared);
  }
  for (int64_t i = 0; i < task.maps() * task.map_size(); ++i) add_tiles(task, i);
  return with_gradients(logits, buffers.maps());
}

constexpr auto kUp = EmulatedBlock::Order::kUp, kDown = EmulatedBlock::Order::kDown;

TEST(MaskTiles, AgreeWithTheReference) {
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(random_masks(seed), emulated<int64_t, kUp>, reference_mask_sums);
  }
}

TEST(MaskTiles, OfOneMapAPhotoAgreeWithTheReference) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(binary(random_masks(seed)), emulated<int8_t, kUp>, reference_binary_mask_sums);
  }
}

// Maps of several tiles, down and across, the last ones smaller.
TEST(MaskTiles, ManyOfAMapAgreeWithTheReference) {
  const int64_t sizes[][4] = {
      {70, 150, 35, 300}, {40, 65, 90, 64}, {1, 200, 3, 17}, {33, 130, 1, 1}};
  for (const auto& [h, w, height, width] : sizes) {
    SCOPED_TRACE(at::IntArrayRef({h, w, height, width}));
    const MaskCase given = masks_of_size(h, w, height, width);
    expect_agreement(given, emulated<int64_t, kUp>, reference_mask_sums);
  }
}

TEST(MaskTiles, AgreeWithTheReferenceAtFullSize) {
  expect_agreement(full_size(-8, 8), emulated<int64_t, kUp>, reference_mask_sums);
}

TEST(MaskTiles, OfOneLogitAgreeWithTheReference) {
  expect_agreement(masks_of_size(1, 1, 512, 512), emulated<int64_t, kUp>, reference_mask_sums);
}

TEST(MaskTiles, PhotosWithoutAClassHaveTheFocalSumAlone) {
  MaskCase given = full_size(-4, 4);
  given.labels.fill_(255);
  expect_agreement(given, emulated<int64_t, kUp>, reference_mask_sums);
}

TEST(MaskTiles, LargeLogitsStayFinite) {
  for (const double size : {20.0, 100.0, 1e6}) {
    SCOPED_TRACE(size);
    expect_agreement(full_size(-size, size), emulated<int64_t, kUp>, reference_mask_sums);
    expect_agreement(full_size(-size, -size), emulated<int64_t, kUp>, reference_mask_sums);
  }
}

TEST(MaskTiles, LogitsThatAreNoNumbersAreNotHidden) {
  MaskCase given = full_size(-1, 1);
  given.logits[0][2][5][5] = std::nan("");
  for (const int64_t labels : {-1, 2}) {
    given.labels.fill_(labels);
    const MaskSums sums = emulated<int64_t, kUp>(given.logits, given.labels);
    EXPECT_TRUE(sums.focal[0][2].isnan().item<bool>());
    EXPECT_FALSE(sums.focal[0][1].isnan().item<bool>());
  }
}

// Else a GPU, whose threads run in any order, could print anything.
TEST(MaskTiles, DoNotDependOnTheOrderOfThreads) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    const MaskCase given = random_masks(seed);
    const at::Tensor up = results_of(given, emulated<int64_t, kUp>);
    EXPECT_TRUE(up.equal(results_of(given, emulated<int64_t, kDown>)));
  }
}

TEST(Stretch, FindsTheFirstPixelOfAPlace) {
  for (const int inputs : {1, 3, 32, 77}) {
    for (const int outputs : {1, 2, 31, 512, 1000}) {
      const Stretch stretch{inputs, outputs, static_cast<float>(inputs) / outputs};
      for (int half = 0; half <= 2 * inputs; ++half) {
        const float place = 0.5f * static_cast<float>(half);
        int expected = 0;
        while (expected < outputs && stretch.place(expected) < place) ++expected;
        ASSERT_EQ(stretch.first_at(place), expected) << inputs << " " << outputs << " " << place;
      }
    }
  }
}

}  // namespace
}  // namespace tagclip
