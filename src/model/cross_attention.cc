#include "model/cross_attention.h"

#include <cmath>

#include "model/start_values.h"

namespace tagclip {
namespace {

at::Tensor split_heads(const at::Tensor& x, int64_t heads) {  // -> [B, heads, L, d / heads]
  return x.view({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
}

at::Tensor merge_heads(const at::Tensor& x) { return x.transpose(1, 2).flatten(2); }

}  // namespace

at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  const Dropout& dropout) {
  if (!dropout.active()) {
    return merge_heads(at::scaled_dot_product_attention(queries, keys, values));
  }
  const double scale = 1 / std::sqrt(static_cast<double>(queries.size(3)));
  const at::Tensor weights = (queries.matmul(keys.transpose(2, 3)) * scale).softmax(-1);
  return merge_heads(dropout(weights).matmul(values));
}

CrossAttention::CrossAttention(const ParameterScope& scope, const ModelConfig& config)
    : q(head_linear(scope / "q", config.clip.embedding, config.clip.embedding, config)),
      k(head_linear(scope / "k", config.clip.embedding, config.clip.embedding, config)),
      v(head_linear(scope / "v", config.clip.embedding, config.clip.embedding, config)),
      proj(head_linear(scope / "proj", config.clip.embedding, config.clip.embedding, config)),
      heads(config.decoder_heads) {}

at::Tensor CrossAttention::operator()(const at::Tensor& queries, const at::Tensor& keys,
                                      const at::Tensor& values, const Dropout& dropout) const {
  const int64_t d = queries.size(2), rows = heads * queries.size(1);
  // Multiply-adds of queries by keys and of weights by values, with either of them projected.
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
  // The same for all keys: softmax does not see it, but k.bias keeps its gradient.
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

}  // namespace tagclip
