#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <vector>

#include "clip/transformer.h"
#include "model/config.h"
#include "model/dropout.h"

namespace tagclip {

// Computes the decode head's multi-head attention (Eq. 2, 6): of queries to patches, the
// attention-to-mask block, and within a Trusty Learner of its own.
struct CrossAttention {
  CrossAttention(const ParameterScope& scope, const ModelConfig& config);

  // Returns Softmax(QK' / sqrt(d / heads)) V, projected: queries [B, Q, d], keys and values
  // [B, L, d] -> [B, Q, d]. Dropout acts on the attention weights.
  at::Tensor operator()(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                        const Dropout& dropout) const;
  // Returns mask logits (Eq. 3, 7 before the sigmoid): attention logits of queries [B, Q, d] to
  // patches [B, N, d], averaged over the heads; [B, Q, N]. That average is one product over the
  // whole width, QK' / (heads sqrt(d / heads)), in which k is applied to the queries or to the
  // patches, whichever are fewer.
  at::Tensor mask_logits(const at::Tensor& queries, const at::Tensor& patches) const;

  Linear q, k, v, proj;
  int64_t heads;

 private:
  // Computes operator() without proj, for few queries (projected already): instead of projecting
  // every key and value, it applies k to the queries and v to the weighted sums. The result is the
  // same sum in another order.
  at::Tensor attend_unprojected(const at::Tensor& queries, const at::Tensor& keys,
                                const at::Tensor& values, const Dropout& dropout) const;
};

// Computes a layer: optional self-attention over queries, mask attention, feed-forward; post-norm.
struct DecoderLayer {
  DecoderLayer(const ParameterScope& scope, const ModelConfig& config, int64_t index);

  // Returns queries as the mask attention reads them: after self-attention and norm1 (Eq. 5), if
  // this layer attends.
  at::Tensor relate(const at::Tensor& queries, const Dropout& dropout) const;
  // Computes the rest of the layer: related queries [B, Q, d] -> the next layer's queries.
  at::Tensor update(const at::Tensor& related, const at::Tensor& patches,
                    const Dropout& dropout) const;

  std::optional<SelfAttention> self_attn;
  CrossAttention multihead_attn;
  Linear linear1, linear2;
  LayerNorm norm1, norm2, norm3;
  bool attends;  // whether self_attn is read
};

// Runs the segmentor (Figure 3), layer by layer. Its keys are under `decoder`.
struct Decoder {
  Decoder(const ParameterScope& scope, const ModelConfig& config);

  struct Output {
    at::Tensor logits;   // [B, Q, N], of the last layer
    at::Tensor queries;  // [B, Q, d] after the last layer; undefined unless asked for
  };
  // Stops the last layer at its logits without `with_queries`: the rest of it reaches no output.
  Output operator()(at::Tensor queries, const at::Tensor& patches, bool with_queries,
                    const Dropout& dropout) const;

  std::vector<DecoderLayer> layers;
};

}  // namespace tagclip
