#pragma once

#include <ATen/ATen.h>

namespace tagclip {

// What the training losses add up over the pixels of each map: [B, C], float, with the gradient to
// the logits. p is the sigmoid of a pixel's logit.
struct MaskSums {
  at::Tensor focal;         // sigmoid focal loss, alpha 0.25, gamma 2
  at::Tensor intersection;  // p of the target's pixels
  at::Tensor prediction;    // p of all pixels
  at::Tensor target;        // pixels of the target; no gradient
};

// Sums of logits [B, C, h, w] that are interpolated bilinearly (align_corners false) to labels
// [B, H, W], int64. The target of map c are the pixels of label c; labels outside 0 .. C-1 are
// background of every map. intersection and prediction are 0 where a photo has no pixel of the
// class.
//
// The logits are float32, on the CPU or a GPU. Nothing of size [C, H, W] is ever held, and results
// do not depend on the number or the order of threads. Gradients are computed along with the sums:
// backward() through them costs next to nothing, a second derivative is not to be had.
MaskSums mask_sums(const at::Tensor& logits, const at::Tensor& labels);

// The same for one map a photo: logits [B, 1, h, w], targets [B, H, W] int8. 1: target. 0:
// background. -1: background to the focal loss, left out of the other sums.
MaskSums binary_mask_sums(const at::Tensor& logits, const at::Tensor& targets);

// Both in LibTorch's operations, on maps of full size: any device, float32 or float64. Sums of the
// fast versions agree to 1e-5, their gradients to 1e-4, relative to the largest.
MaskSums reference_mask_sums(const at::Tensor& logits, const at::Tensor& labels);
MaskSums reference_binary_mask_sums(const at::Tensor& logits, const at::Tensor& targets);

}  // namespace tagclip
