#pragma once

#include <ATen/ATen.h>

namespace tagclip {

// Sums over the pixels of each map from which the training losses are computed: [B, C], float, with
// gradients to the logits. p is the sigmoid of a pixel's logit.
struct MaskSums {
  at::Tensor focal;         // sigmoid focal loss, alpha 0.25, gamma 2
  at::Tensor intersection;  // p of the target's pixels
  at::Tensor prediction;    // p of all pixels
  at::Tensor target;        // number of the target's pixels; no gradient
};

// Interpolates logits [B, C, h, w] bilinearly (align_corners = false) to the size of labels
// [B, H, W], int64, and sums. The target of map c are the pixels with label c; pixels with labels
// outside 0 .. C-1 are background of every map. `intersection` and `prediction` are 0 where an
// image has no pixel of the class.
//
// The logits are float32, on the CPU or a GPU. No tensor of size [C, H, W] is allocated, and
// results do not depend on the number or the order of threads. Gradients are computed with the
// sums, so backward() costs next to nothing; second derivatives are not supported.
MaskSums mask_sums(const at::Tensor& logits, const at::Tensor& labels);

// The same for one map per image: logits [B, 1, h, w], targets [B, H, W] int8: 1 target, 0
// background, below 0 ignored.
MaskSums binary_mask_sums(const at::Tensor& logits, const at::Tensor& targets);

}  // namespace tagclip
