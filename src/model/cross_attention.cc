#include "model/cross_attention.h"

#include <cmath>

namespace tagclip {
namespace {

const Initialiser kInit = truncated_normal(0.02);

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

CrossAttention::CrossAttention(const ParameterScope& scope, int64_t width, int64_t heads)
    : q(scope / "q", width, width, kInit),
      k(scope / "k", width, width, kInit),
      v(scope / "v", width, width, kInit),
      proj(scope / "proj", width, width, kInit),
      heads(heads) {}

at::Tensor CrossAttention::operator()(const at::Tensor& queries, const at::Tensor& keys,
                                      const at::Tensor& values, const Dropout& dropout) const {
  return proj(attend(split_heads(q(queries), heads), split_heads(k(keys), heads),
                     split_heads(v(values), heads), dropout));
}

at::Tensor CrossAttention::mask_logits(const at::Tensor& queries, const at::Tensor& patches) const {
  const double head_width = static_cast<double>(queries.size(2)) / heads;
  return q(queries).matmul(k(patches).transpose(1, 2)) / (heads * std::sqrt(head_width));
}

}  // namespace tagclip
