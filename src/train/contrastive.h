#pragma once

#include <ATen/ATen.h>

namespace tagclip {

// CLIP's symmetric cross-entropy over the cosine similarities of a batch, with one change: all
// texts of the batch that describe an image are right answers and share its target evenly (small
// data sets repeat captions). images, texts [B, d], not normalised; scale [] = exp(logit_scale);
// matches [B, B] bool: [i, j] is whether text j describes image i, true on the diagonal. Returns
// the mean of both directions, [].
at::Tensor contrastive_loss(const at::Tensor& images, const at::Tensor& texts,
                            const at::Tensor& scale, const at::Tensor& matches);

// Patch dropout (FLIP, Li et al., 2023): a step computes a share of each image's patches at that
// share of the cost. tokens [B, 1 + n, D] -> the class token, then max(1, round(kept_share n)) of
// the n patches, drawn for each image by `generator`.
at::Tensor patch_dropout(const at::Tensor& tokens, double kept_share, at::Generator generator);

}  // namespace tagclip
