#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace tagclip {

// CLIP's symmetric cross-entropy over the cosine similarities of a batch, with one change: pairs of
// the same text are all right answers, and share the target evenly (small data sets repeat
// captions). images, texts [B, d], not normalised; scale [] = exp(logit_scale); group [B]: equal
// numbers mark equal texts. Returns the mean of both directions, [].
at::Tensor contrastive_loss(const at::Tensor& images, const at::Tensor& texts,
                            const at::Tensor& scale, const at::Tensor& group);

}  // namespace tagclip
