#pragma once

#include <ATen/ATen.h>

namespace tagclip {

// CLIP's symmetric cross-entropy over the cosine similarities of a batch, with one change: a
// photo's right answers are all texts of the batch that describe it, and share the target evenly
// (small data sets repeat captions). images, texts [B, d], not normalised; scale [] =
// exp(logit_scale); matches [B, B] bool: [i, j] tells whether text j describes photo i, the
// diagonal is true. Returns the mean of both directions, [].
at::Tensor contrastive_loss(const at::Tensor& images, const at::Tensor& texts,
                            const at::Tensor& scale, const at::Tensor& matches);

}  // namespace tagclip
