#pragma once

#include "kernels/mask_loss/mask_loss.h"

namespace tagclip {

// mask_loss.h in LibTorch's operations on maps of full size; any device, float32 or float64.
// Against float64, the sums of mask_loss.h agree to 1e-5 and their gradients to 1e-4, relative to
// the largest.
MaskSums reference_mask_sums(const at::Tensor& logits, const at::Tensor& labels);
MaskSums reference_binary_mask_sums(const at::Tensor& logits, const at::Tensor& targets);

}  // namespace tagclip
