#pragma once

#include <ATen/ATen.h>

#include "kernels/blend.h"
#include "kernels/mask_loss.h"

namespace tagclip {

// What runs where logits are on a GPU. In a build without CUDA's compiler the same is computed the
// plain way, or on the CPU.

// mask_sums where the labels are int64, binary_mask_sums where they are int8.
MaskSums gpu_mask_sums(const at::Tensor& logits, const at::Tensor& labels);

BestClass gpu_blend(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                    Extent photo);

}  // namespace tagclip
