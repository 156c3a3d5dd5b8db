#include "model/decoder.h"

#include <span>

#include "model/start_values.h"

namespace tagclip {

DecoderLayer::DecoderLayer(const ParameterScope& scope, const ModelConfig& config, int64_t index)
    : multihead_attn(scope / "multihead_attn", config),
      linear1(head_linear(scope / "linear1", config.clip.embedding, 4 * config.clip.embedding,
                          config)),
      linear2(head_linear(scope / "linear2", 4 * config.clip.embedding, config.clip.embedding,
                          config)),
      norm1(scope / "norm1", config.clip.embedding),
      norm2(scope / "norm2", config.clip.embedding),
      norm3(scope / "norm3", config.clip.embedding),
      attends(config.has_self_attention(index)) {
  if (attends || config.has_unused_self_attention()) {
    self_attn.emplace(head_self_attention(scope / "self_attn", config));
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
    const ParameterScope layer = scope / "layers" / std::to_string(i);
    layers.emplace_back(layer, config, i);
    if (i > 0 && config.architecture == Architecture::kZegClip) {
      layer.start_as_copy_of(scope / "layers" / "0");
    }
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
