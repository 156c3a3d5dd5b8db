#include "model/decoder.h"

#include <cmath>
#include <span>

namespace tagclip {
namespace {

const Initialiser kInit = truncated_normal(0.02);

at::Tensor split_heads(const at::Tensor& x, int64_t heads) {  // -> [B, heads, L, d / heads]
  return x.view({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
}

at::Tensor merge_heads(const at::Tensor& x) { return x.transpose(1, 2).flatten(2); }

// Dropout on the attention weights. All [B, heads, ., d / heads].
at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  const Dropout& dropout) {
  if (!dropout.active()) return at::scaled_dot_product_attention(queries, keys, values);
  const double scale = 1 / std::sqrt(static_cast<double>(queries.size(3)));
  return dropout((queries.matmul(keys.transpose(2, 3)) * scale).softmax(-1)).matmul(values);
}

}  // namespace

MaskAttention::MaskAttention(const ParameterScope& scope, int64_t width, int64_t heads)
    : q(scope / "q", width, width, kInit),
      k(scope / "k", width, width, kInit),
      v(scope / "v", width, width, kInit),
      proj(scope / "proj", width, width, kInit),
      heads(heads) {}

at::Tensor MaskAttention::mask_logits(const at::Tensor& queries, const at::Tensor& patches) const {
  const double head_width = static_cast<double>(queries.size(2)) / heads;
  return q(queries).matmul(k(patches).transpose(1, 2)) / (heads * std::sqrt(head_width));
}

at::Tensor MaskAttention::gather(const at::Tensor& queries, const at::Tensor& patches,
                                 const Dropout& dropout) const {
  return proj(merge_heads(attend(split_heads(q(queries), heads), split_heads(k(patches), heads),
                                 split_heads(v(patches), heads), dropout)));
}

DecoderLayer::DecoderLayer(const ParameterScope& scope, const ModelConfig& config, int64_t index)
    : multihead_attn(scope / "multihead_attn", config.clip.embedding, config.decoder_heads),
      linear1(scope / "linear1", config.clip.embedding, 4 * config.clip.embedding, kInit),
      linear2(scope / "linear2", 4 * config.clip.embedding, config.clip.embedding, kInit),
      norm1(scope / "norm1", config.clip.embedding),
      norm2(scope / "norm2", config.clip.embedding),
      norm3(scope / "norm3", config.clip.embedding),
      attends(config.has_self_attention(index)) {
  if (attends || config.unused_self_attention) {
    self_attn.emplace(scope / "self_attn", config.clip.embedding, config.decoder_heads, kInit,
                      kInit);
  }
}

at::Tensor DecoderLayer::relate(const at::Tensor& queries, const Dropout& dropout) const {
  if (!attends) return queries;
  const auto [Q, K, V] = self_attn->split(queries);
  return norm1(queries + dropout(self_attn->out_proj(merge_heads(attend(Q, K, V, dropout)))));
}

at::Tensor DecoderLayer::update(const at::Tensor& related, const at::Tensor& patches,
                                const Dropout& dropout) const {
  const at::Tensor x = norm2(related + dropout(multihead_attn.gather(related, patches, dropout)));
  return norm3(x + dropout(linear2(dropout(at::relu(linear1(x))))));
}

Decoder::Decoder(const ParameterScope& scope, const ModelConfig& config) {
  for (int64_t i = 0; i < config.decoder_layers; ++i) {
    layers.emplace_back(scope / "layers" / std::to_string(i), config, i);
  }
}

Decoder::Output Decoder::operator()(at::Tensor queries, const at::Tensor& patches,
                                    bool with_queries, const Dropout& dropout) const {
  const DecoderLayer& last = layers.back();
  for (const DecoderLayer& layer : std::span(layers).first(layers.size() - 1)) {
    queries = layer.update(layer.relate(queries, dropout), patches, dropout);
  }
  const at::Tensor related = last.relate(queries, dropout);
  return {.logits = last.multihead_attn.mask_logits(related, patches),
          .queries = with_queries ? last.update(related, patches, dropout) : at::Tensor()};
}

}  // namespace tagclip
