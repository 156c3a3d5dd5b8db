#pragma once

#include <ATen/ATen.h>

#include "kernels/mask_loss/mask_loss.h"

namespace tagclip {

// Logits and labels on a GPU: mask_sums where the labels are int64, binary_mask_sums where they are
// int8. A build without CUDA's compiler runs the reference there.
MaskSums gpu_mask_sums(const at::Tensor& logits, const at::Tensor& labels);

}  // namespace tagclip
