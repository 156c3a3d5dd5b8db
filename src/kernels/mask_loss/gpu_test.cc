// The kernels as a GPU runs them, against the references on the CPU.
#include "gpu/test_gpu.h"
#include "kernels/mask_loss/mask_loss.h"
#include "kernels/mask_loss/reference.h"
#include "kernels/mask_loss/test_mask_cases.h"

namespace tagclip {
namespace {

class GpuMaskSums : public GpuTest {};

MaskSums to_cpu(const MaskSums& sums) {
  return {sums.focal.cpu(), sums.intersection.cpu(), sums.prediction.cpu(), sums.target.cpu()};
}

MaskSums on_gpu(const at::Tensor& logits, const at::Tensor& labels) {
  return to_cpu(mask_sums(logits.cuda(), labels.cuda()));
}

MaskSums binary_on_gpu(const at::Tensor& logits, const at::Tensor& labels) {
  return to_cpu(binary_mask_sums(logits.cuda(), labels.cuda()));
}

TEST_F(GpuMaskSums, AgreeWithTheReference) {
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(random_masks(seed), on_gpu, reference_mask_sums);
    expect_agreement(binary(random_masks(seed)), binary_on_gpu, reference_binary_mask_sums);
  }
}

TEST_F(GpuMaskSums, AgreeWithTheReferenceAtFullSize) {
  for (const double size : {8.0, 100.0, 1e6}) {
    SCOPED_TRACE(size);
    expect_agreement(full_size(-size, size), on_gpu, reference_mask_sums);
  }
}

TEST_F(GpuMaskSums, EmptyImagesAndOddMapsAgreeWithTheReference) {
  MaskCase empty = full_size(-4, 4);
  empty.labels.fill_(255);
  expect_agreement(empty, on_gpu, reference_mask_sums);
  expect_agreement(masks_of_size(70, 150, 35, 300), on_gpu, reference_mask_sums);
  expect_agreement(masks_of_size(1, 1, 512, 512), on_gpu, reference_mask_sums);
}

TEST_F(GpuMaskSums, AreTheSameEveryTime) {
  const MaskCase given = full_size(-4, 4);
  const at::Tensor once = results_of(given, on_gpu);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(once.equal(results_of(given, on_gpu)));
}

}  // namespace
}  // namespace tagclip
