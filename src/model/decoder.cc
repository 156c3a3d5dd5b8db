#include "model/decoder.h"

#include <span>

namespace tagclip {
namespace {

const Initialiser kInit = truncated_normal(0.02);

}  // namespace

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
  return norm1(queries + dropout(self_attn->out_proj(attend(Q, K, V, dropout))));
}

at::Tensor DecoderLayer::update(const at::Tensor& related, const at::Tensor& patches,
                                const Dropout& dropout) const {
  const at::Tensor gathered = multihead_attn(related, patches, patches, dropout);
  const at::Tensor x = norm2(related + dropout(gathered));
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
