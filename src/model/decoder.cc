#include "model/decoder.h"

#include <cmath>
#include <span>

#include "model/start_values.h"

namespace tagclip {
namespace {

at::Tensor split_heads(const at::Tensor& x, int64_t heads) {  // -> [B, heads, L, d / heads]
  return x.view({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
}

at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  const Dropout& dropout) {
  if (!dropout.active()) {
    return merge_heads(at::scaled_dot_product_attention(queries, keys, values));
  }
  const double scale = 1 / std::sqrt(static_cast<double>(queries.size(3)));
  const at::Tensor weights = (queries.matmul(keys.transpose(2, 3)) * scale).softmax(-1);
  return merge_heads(dropout(weights).matmul(values));
}

}  // namespace

CrossAttention::CrossAttention(const ParameterScope& scope, const ModelConfig& config)
    : q(head_linear(scope / "q", config.clip.embedding, config.clip.embedding, config)),
      k(head_linear(scope / "k", config.clip.embedding, config.clip.embedding, config)),
      v(head_linear(scope / "v", config.clip.embedding, config.clip.embedding, config)),
      proj(head_linear(scope / "proj", config.clip.embedding, config.clip.embedding, config)),
      heads(config.decoder_heads) {}

at::Tensor CrossAttention::operator()(const at::Tensor& queries, const at::Tensor& keys,
                                      const at::Tensor& values, const Dropout& dropout) const {
  const int64_t d = queries.size(2), rows = heads * queries.size(1);
  // Multiply-adds with keys and values projected, and with queries and sums projected instead.
  const int64_t projected = keys.size(1) * (d * d + queries.size(1) * d);
  const int64_t moved = rows * d * keys.size(1) + queries.size(1) * d * d;
  if (moved < projected) return proj(attend_unprojected(q(queries), keys, values, dropout));
  return proj(attend(split_heads(q(queries), heads), split_heads(k(keys), heads),
                     split_heads(v(values), heads), dropout));
}

at::Tensor CrossAttention::attend_unprojected(const at::Tensor& queries, const at::Tensor& keys,
                                              const at::Tensor& values,
                                              const Dropout& dropout) const {
  const int64_t d = queries.size(2), head = d / heads;
  const at::Tensor own = split_heads(queries, heads) / std::sqrt(static_cast<double>(head));
  const at::Tensor moved = own.matmul(k.weight.view({heads, head, d}));  // [B, heads, Q, d]
  // Equal for all keys, so softmax cancels it; it is kept for the gradient of k.bias.
  const at::Tensor constant = own.matmul(k.bias.view({heads, head, 1}));
  const at::Tensor scores = moved.flatten(1, 2)
                                .matmul(keys.transpose(1, 2))
                                .view({queries.size(0), heads, queries.size(1), keys.size(1)});
  const at::Tensor weights = dropout((scores + constant).softmax(-1));
  const at::Tensor gathered = weights.flatten(1, 2).matmul(values).view(moved.sizes());
  // Dropped weights do not add up to one.
  const at::Tensor share =
      dropout.active() ? weights.sum(-1, /*keepdim=*/true) : at::ones({1}, weights.options());
  return merge_heads(gathered.matmul(v.weight.view({heads, head, d}).transpose(1, 2)) +
                     share * v.bias.view({heads, 1, head}));
}

at::Tensor CrossAttention::mask_logits(const at::Tensor& queries, const at::Tensor& patches) const {
  const double head_width = static_cast<double>(queries.size(2)) / heads;
  const at::Tensor scaled = q(queries) / (heads * std::sqrt(head_width));
  if (queries.size(1) >= patches.size(1)) return scaled.matmul(k(patches).transpose(1, 2));
  const at::Tensor moved = scaled.matmul(k.weight);  // [B, Q, d]
  return moved.matmul(patches.transpose(1, 2)) + scaled.matmul(k.bias).unsqueeze(2);
}

DecoderLayer::DecoderLayer(const ParameterScope& scope, const ModelConfig& config, int64_t index)
    : multihead_attn(scope / "multihead_attn", config),
      linear1(
          head_linear(scope / "linear1", config.clip.embedding, 4 * config.clip.embedding, config)),
      linear2(
          head_linear(scope / "linear2", 4 * config.clip.embedding, config.clip.embedding, config)),
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
