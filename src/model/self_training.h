#pragma once

#include <ATen/ATen.h>

namespace tagclip {

// The label of a pixel whose class is hidden from training but which is known to be labelled.
inline constexpr int64_t kHidden = -1;

// Pseudo labels of the transductive setting (spec section 5): where `labels` is kHidden, the unseen
// class with the largest logit (the lowest of equals); elsewhere `labels` unchanged. logits [B, C,
// h, w] of all classes, upsampled to the labels bilinearly; labels [B, H, W] int64; unseen [U]
// int64: class indices, where the labels are.
at::Tensor self_training_labels(const at::Tensor& logits, const at::Tensor& labels,
                                const at::Tensor& unseen);

}  // namespace tagclip
