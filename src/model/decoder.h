#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <vector>

#include "clip/transformer.h"
#include "model/config.h"
#include "model/cross_attention.h"
#include "model/dropout.h"

namespace tagclip {

// One layer: self-attention over the queries (optional), mask attention, feed-forward; post-norm.
struct DecoderLayer {
  DecoderLayer(const ParameterScope& scope, const ModelConfig& config, int64_t index);

  // The queries as the mask attention sees them: after self-attention and norm1, if there is one.
  at::Tensor relate(const at::Tensor& queries, const Dropout& dropout) const;
  // The rest of the layer: related queries [B, Q, d] -> the next layer's queries.
  at::Tensor update(const at::Tensor& related, const at::Tensor& patches,
                    const Dropout& dropout) const;

  std::optional<SelfAttention> self_attn;
  CrossAttention multihead_attn;
  Linear linear1, linear2;
  LayerNorm norm1, norm2, norm3;
  bool attends;  // whether self_attn is read
};

// The segmentor. Keys under `decoder`.
struct Decoder {
  Decoder(const ParameterScope& scope, const ModelConfig& config);

  struct Output {
    at::Tensor logits;   // [B, Q, N], of the last layer
    at::Tensor queries;  // [B, Q, d] after the last layer; undefined unless asked for
  };
  // Without `with_queries` the last layer stops at its logits: the rest of it reaches no output.
  Output operator()(at::Tensor queries, const at::Tensor& patches, bool with_queries,
                    const Dropout& dropout) const;

  std::vector<DecoderLayer> layers;
};

}  // namespace tagclip
