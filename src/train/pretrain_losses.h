#pragma once

#include <ATen/ATen.h>

namespace tagclip {

// The losses of pretraining. Embeddings need not have unit length; scale [] = exp(logit scale).

// CLIP's symmetric cross-entropy over the cosine similarities of a batch, with one change: all
// texts of the batch that describe an image are right answers and share its target evenly (small
// data sets repeat captions). images, texts [B, d]; matches [B, B] bool: [i, j] is whether text j
// describes image i, true on the diagonal. Returns the mean of both directions, [].
at::Tensor contrastive_loss(const at::Tensor& images, const at::Tensor& texts,
                            const at::Tensor& scale, const at::Tensor& matches);

// The cross-entropy of the similarities to the texts of names against a teacher's probabilities.
// images [B, d], names [N, d]; targets [B, N], whose rows add up to at most 1: a step compares an
// image with some of all names, and the image counts as much as the teacher gives to these. Returns
// the mean over the images, [].
at::Tensor names_loss(const at::Tensor& images, const at::Tensor& names, const at::Tensor& scale,
                      const at::Tensor& targets);

// The cross-entropy of patches against the words of their set, summed over patches, each as much as
// it is labelled. patches [B, n, d], words [C, d]; targets [B, n, C], the shares of a patch's
// pixels that have each label: void ones are missing from their sum. priors [C], where defined, are
// added to the logits (balanced softmax, Ren et al., NeurIPS 2020: the logarithms of the classes'
// shares). Returns [].
at::Tensor patch_label_sum(const at::Tensor& patches, const at::Tensor& words,
                           const at::Tensor& scale, const at::Tensor& targets,
                           const at::Tensor& priors = {});

// Patch dropout (FLIP, Li et al., 2023): a step computes a share of each image's patches at that
// share of the cost. Returns which tokens are kept, [B, 1 + kept] int64: 0, the class token, then
// max(1, round(kept_share n)) of the n patches, from 1 on, drawn for each image by `generator`.
// Nothing when all are kept.
at::Tensor draw_kept_tokens(int64_t images, int64_t patches, double kept_share,
                            at::Generator generator);

// The rows of x [B, n, D] that `index` [B, kept] names: [B, kept, D].
at::Tensor gather_rows(const at::Tensor& x, const at::Tensor& index);

}  // namespace tagclip
