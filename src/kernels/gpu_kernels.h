#pragma once

#include <ATen/ATen.h>

#include "kernels/blend.h"
#include "kernels/mask_loss.h"

namespace tagclip {

// What runs where logits are on a GPU.

// Whether the kernels for it are compiled in. Where they are not, these functions still compute the
// same: the plain way, or on the CPU.
bool has_gpu_kernels();

// mask_sums where the labels are int64, binary_mask_sums where they are int8.
MaskSums gpu_mask_sums(const at::Tensor& logits, const at::Tensor& labels);

BestClass gpu_blend(const WindowLogits& logits, const WindowLayout& layout, const ScoreRule& rule,
                    Extent photo);

}  // namespace tagclip
