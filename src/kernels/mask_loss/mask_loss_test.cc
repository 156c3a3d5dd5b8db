#include "kernels/mask_loss/mask_loss.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/mask_loss/test_mask_cases.h"

namespace tagclip {
namespace {

TEST(MaskSums, AgreeWithTheReference) {
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(random_masks(seed), mask_sums, reference_mask_sums);
  }
}

TEST(MaskSums, OneMapPerImageAgreesWithTheReference) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(binary(random_masks(seed)), binary_mask_sums, reference_binary_mask_sums);
  }
}

TEST(MaskSums, AgreeWithTheReferenceAtFullSize) {
  expect_agreement(full_size(-8, 8), mask_sums, reference_mask_sums);
}

TEST(MaskSums, ImagesWithoutAClassHaveTheFocalSumOnly) {
  MaskCase given = full_size(-4, 4);
  given.labels.fill_(255);
  expect_agreement(given, mask_sums, reference_mask_sums);
  const MaskSums sums = mask_sums(given.logits, given.labels);
  EXPECT_TRUE(sums.focal.gt(0).all().item<bool>());
  EXPECT_EQ(sums.prediction.abs().max().item<float>(), 0);
  EXPECT_EQ(sums.target.abs().max().item<float>(), 0);
}

TEST(MaskSums, CountEveryClassOfAnImage) {
  const MaskCase given = full_size(-4, 4);
  EXPECT_TRUE(mask_sums(given.logits, given.labels).target.gt(0).all().item<bool>());
}

TEST(MaskSums, LargeLogitsStayFinite) {
  for (const double size : {20.0, 100.0, 1e6}) {
    SCOPED_TRACE(size);
    expect_agreement(full_size(-size, size), mask_sums, reference_mask_sums);
    expect_agreement(full_size(-size, -size), mask_sums, reference_mask_sums);
  }
}

TEST(MaskSums, NanIsNotHidden) {
  MaskCase given = full_size(-1, 1);
  given.logits[0][2][5][5] = std::nan("");
  for (const int64_t labels : {-1, 2}) {
    given.labels.fill_(labels);
    const MaskSums sums = mask_sums(given.logits, given.labels);
    EXPECT_TRUE(sums.focal[0][2].isnan().item<bool>());
    EXPECT_FALSE(sums.focal[0][1].isnan().item<bool>());
  }
}

TEST(MaskSums, LabelsBeyond32BitsAreBackground) {
  MaskCase given = full_size(-1, 1);
  given.labels.fill_(int64_t{1} << 32);
  EXPECT_EQ(mask_sums(given.logits, given.labels).target.sum().item<float>(), 0);
}

TEST(MaskSums, DoNotDependOnTheNumberOfThreads) {
  const MaskCase given = random_masks(8);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = results_of(given, mask_sums);
  at::set_num_threads(3);
  const at::Tensor three = results_of(given, mask_sums);
  at::set_num_threads(before);
  EXPECT_TRUE(one.equal(three));
}

}  // namespace
}  // namespace tagclip
