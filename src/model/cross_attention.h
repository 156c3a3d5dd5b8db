#pragma once

#include <ATen/ATen.h>

#include "clip/transformer.h"
#include "model/config.h"
#include "model/dropout.h"

namespace tagclip {

// Scaled dot-product attention with dropout on its weights: queries, keys and values [B, heads, .,
// d / heads] -> heads side by side, [B, Q, d].
at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  const Dropout& dropout);

// Multi-head attention of the decode head: of queries to patches (attention-to-mask, spec section
// 4), and within the Trusty Learner.
struct CrossAttention {
  CrossAttention(const ParameterScope& scope, const ModelConfig& config);

  // What queries [B, Q, d] gather from values [B, L, d] by keys [B, L, d]; [B, Q, d].
  at::Tensor operator()(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                        const Dropout& dropout) const;
  // The logits before softmax, averaged over the heads: masks, where the keys are patches [B, N,
  // d]; [B, Q, N]. That average is one product over the whole width: QK' / (heads sqrt(d / heads)),
  // in which k goes to the queries or to the patches, whichever are fewer.
  at::Tensor mask_logits(const at::Tensor& queries, const at::Tensor& patches) const;

  Linear q, k, v, proj;
  int64_t heads;

 private:
  // operator() before proj, for few queries (already projected): what k and v would do to every key
  // and value is done to the queries and to what they gather, which is the same sum in another
  // order.
  at::Tensor attend_unprojected(const at::Tensor& queries, const at::Tensor& keys,
                                const at::Tensor& values, const Dropout& dropout) const;
};

}  // namespace tagclip
