#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "clip/parameters.h"

namespace tagclip {

struct Linear {
  Linear(const ParameterScope& scope, int64_t in, int64_t out, const Initialiser& weight_init,
         const Initialiser& bias_init = constant(0));
  at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }

  at::Tensor weight;  // [out, in]
  at::Tensor bias;    // [out]
};

struct LayerNorm {
  LayerNorm(const ParameterScope& scope, int64_t width, double epsilon = 1e-5);
  at::Tensor operator()(const at::Tensor& x) const;

  at::Tensor weight, bias;  // [width]
  double epsilon;
};

// Keys and values per head, each [B or 1, heads, P, width/heads].
struct KeysValues {
  at::Tensor keys, values;
};

// Multi-head self-attention with packed projections, as torch.nn.MultiheadAttention names them.
struct SelfAttention {
  SelfAttention(const ParameterScope& scope, int64_t width, int64_t heads,
                const Initialiser& in_init, const Initialiser& out_init);
  // x [B, L, width]. `causal`: row i attends to rows 0..i.
  at::Tensor operator()(const at::Tensor& x, bool causal = false) const;
  // Rows of x attend to the prefix as well as to each other; [B, L, width].
  at::Tensor operator()(const at::Tensor& x, const KeysValues& prefix_kv) const;

  struct Parts {
    at::Tensor queries, keys, values;  // [B, heads, L, width/heads]
  };
  Parts split(const at::Tensor& x) const;
  // The keys and values of rows x [B or 1, P, width].
  KeysValues keys_values(const at::Tensor& x) const;

  at::Tensor in_proj_weight;  // [3 width, width]: queries, keys, values
  at::Tensor in_proj_bias;    // [3 width]
  Linear out_proj;
  int64_t heads;
};

enum class Activation { kQuickGelu, kGelu };

// x sigmoid(1.702 x), or the exact GELU.
at::Tensor activate(const at::Tensor& x, Activation activation);

// [B, heads, L, d / heads] -> [B, L, d]
at::Tensor merge_heads(const at::Tensor& x);

// Pre-norm residual block of both towers (spec section 1).
struct ResidualBlock {
  // `mlp`: width of the layer between the two of the MLP. `layers`: blocks of the tower, which the
  // start values depend on.
  ResidualBlock(const ParameterScope& scope, int64_t width, int64_t mlp, int64_t heads,
                int64_t layers, Activation activation);
  at::Tensor operator()(const at::Tensor& x, bool causal) const;  // [B, L, width]
  // The same for rows that attend to a prefix (made by prompt_keys) as well as to each other.
  at::Tensor operator()(const at::Tensor& x, const KeysValues& prefix_kv) const;

  // Returns the keys and values of tokens [B or 1, P, width] that others attend to and whose own
  // output is not read.
  KeysValues prompt_keys(const at::Tensor& tokens) const { return attn.keys_values(ln_1(tokens)); }

  // x after attention -> the block's output.
  at::Tensor add_mlp(const at::Tensor& x) const;

  SelfAttention attn;
  LayerNorm ln_1;
  Linear c_fc, c_proj;
  LayerNorm ln_2;
  Activation activation;
};

struct Transformer {
  Transformer(const ParameterScope& scope, int64_t width, int64_t mlp, int64_t layers,
              int64_t heads, Activation activation);

  std::vector<ResidualBlock> resblocks;
};

}  // namespace tagclip
