#include "clip/transformer.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "base/error.h"
#include "kernels/linear/quick_gelu.h"

namespace tagclip {

Linear::Linear(const ParameterScope& scope, int64_t in, int64_t out, const Initialiser& weight_init,
               const Initialiser& bias_init)
    : weight(scope.add("weight", {out, in}, weight_init)),
      bias(scope.add("bias", {out}, bias_init)) {}

LayerNorm::LayerNorm(const ParameterScope& scope, int64_t width, double epsilon)
    : weight(scope.add("weight", {width}, constant(1))),
      bias(scope.add("bias", {width}, constant(0))),
      epsilon(epsilon) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, epsilon);
}

SelfAttention::SelfAttention(const ParameterScope& scope, int64_t width, int64_t heads,
                             const Initialiser& in_init, const Initialiser& out_init)
    : in_proj_weight(scope.add("in_proj_weight", {3 * width, width}, in_init)),
      in_proj_bias(scope.add("in_proj_bias", {3 * width}, constant(0))),
      out_proj(scope / "out_proj", width, width, out_init),
      heads(heads) {
  TAGCLIP_CHECK(heads > 0 && width % heads == 0, "the width must be a multiple of the heads");
}

namespace {

// [B, L, n width] -> n tensors [B, heads, L, width/heads].
std::vector<at::Tensor> split_heads(const at::Tensor& x, int64_t n, int64_t heads) {
  const int64_t B = x.size(0), L = x.size(1);
  return x.view({B, L, n, heads, -1}).permute({2, 0, 3, 1, 4}).unbind(0);
}

at::Tensor append(const at::Tensor& own, const at::Tensor& prefix) {
  return at::cat({own, prefix.expand({own.size(0), -1, -1, -1})}, 2);
}

// True if attention is computed by two plain products: faster for short sequences in bfloat16
// training on the CPU, where LibTorch's fused kernel sets up a product per head and image.
bool by_plain_products(const at::Tensor& queries, const at::Tensor& keys) {
  constexpr int64_t kLongest = 512;  // [B, heads, L, L] is held
  return queries.is_cpu() && queries.scalar_type() == at::kBFloat16 && at::GradMode::is_enabled() &&
         keys.size(2) <= kLongest;
}

// Queries [B, heads, L, d], keys and values [B, heads, L', d] -> [B, heads, L, d].
at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  bool causal = false) {
  if (!by_plain_products(queries, keys)) {
    return at::scaled_dot_product_attention(queries, keys, values, /*attn_mask=*/{}, 0.0, causal);
  }
  at::Tensor scores = (queries * (1 / std::sqrt(queries.size(3))))
                          .matmul(keys.transpose(2, 3));  // [B, heads, L, L']
  if (causal) {
    const int64_t L = queries.size(2);
    scores = scores + at::full({L, L}, -INFINITY, queries.options()).triu(1);
  }
  return scores.softmax(-1).matmul(values);
}

}  // namespace

at::Tensor merge_heads(const at::Tensor& x) { return x.transpose(1, 2).flatten(2); }

SelfAttention::Parts SelfAttention::split(const at::Tensor& x) const {
  auto qkv = split_heads(at::linear(x, in_proj_weight, in_proj_bias), 3, heads);
  return {qkv[0], qkv[1], qkv[2]};
}

at::Tensor SelfAttention::operator()(const at::Tensor& x, bool causal) const {
  const auto [queries, keys, values] = split(x);
  return out_proj(merge_heads(attend(queries, keys, values, causal)));
}

at::Tensor SelfAttention::operator()(const at::Tensor& x, const KeysValues& prefix_kv) const {
  const auto [queries, keys, values] = split(x);
  return out_proj(
      merge_heads(attend(queries, append(keys, prefix_kv.keys), append(values, prefix_kv.values))));
}

KeysValues SelfAttention::keys_values(const at::Tensor& x) const {
  const int64_t width = x.size(2);
  const auto kv = split_heads(at::linear(x, in_proj_weight.narrow(0, width, 2 * width),
                                         in_proj_bias.narrow(0, width, 2 * width)),
                              2, heads);
  return {kv[0], kv[1]};
}

at::Tensor activate(const at::Tensor& x, Activation activation) {
  if (activation == Activation::kGelu) return at::gelu(x);
  return quick_gelu(x);
}

ResidualBlock::ResidualBlock(const ParameterScope& scope, int64_t width, int64_t mlp, int64_t heads,
                             int64_t layers, Activation activation)
    : attn(scope / "attn", width, heads, normal(1 / std::sqrt(width)),
           normal(1 / std::sqrt(2.0 * layers * width))),
      ln_1(scope / "ln_1", width),
      c_fc(scope / "mlp" / "c_fc", width, mlp, normal(1 / std::sqrt(2.0 * width))),
      c_proj(scope / "mlp" / "c_proj", mlp, width, normal(1 / std::sqrt(2.0 * layers * width))),
      ln_2(scope / "ln_2", width),
      activation(activation) {}

at::Tensor ResidualBlock::operator()(const at::Tensor& x, bool causal) const {
  return add_mlp(x + attn(ln_1(x), causal));
}

at::Tensor ResidualBlock::operator()(const at::Tensor& x, const KeysValues& prefix_kv) const {
  return add_mlp(x + attn(ln_1(x), prefix_kv));
}

at::Tensor ResidualBlock::add_mlp(const at::Tensor& x) const {
  return x + c_proj(activate(c_fc(ln_2(x)), activation));
}

Transformer::Transformer(const ParameterScope& scope, int64_t width, int64_t mlp, int64_t layers,
                         int64_t heads, Activation activation) {
  resblocks.reserve(layers);
  for (int64_t i = 0; i < layers; ++i) {
    resblocks.emplace_back(scope / "resblocks" / std::to_string(i), width, mlp, heads, layers,
                           activation);
  }
}

}  // namespace tagclip
