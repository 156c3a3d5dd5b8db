#pragma once

#include <ATen/ATen.h>

#include <string>

#include "clip/parameters.h"
#include "onnx/operators.h"

namespace tagclip {

// The number format of weights and matrix products in an exported graph. Sums, norms, softmax and
// everything that leaves the graph are float32 in either.
enum class ExportPrecision { kFloat32, kFloat16 };

// Turns the layers that models are made of into operators over their weights. Initialisers carry
// the parameters' names; a matrix is stored as it multiplies from the right, [in, out], and is
// called "NAME.transposed".
class GraphBuilder {
 public:
  // `parameters` must outlive it, and lie on the CPU. `source` stands for the weights in messages.
  GraphBuilder(onnx::Graph& graph, const ParameterList& parameters, ExportPrecision precision,
               std::string source);

  onnx::Graph& graph() const { return graph_; }
  const at::Tensor& parameter(const std::string& name) const;

  // Values of the graph that hold a parameter, or any tensor under a name of its own, as float32.
  onnx::Value weight(const std::string& name) const { return constant(name, parameter(name)); }
  onnx::Value constant(const std::string& name, const at::Tensor& tensor) const;
  // The same in the number format of products. Throws Error(kBadInput) for a number that it cannot
  // hold.
  onnx::Value factor(const std::string& name, const at::Tensor& tensor) const;

  // Matrix products; a and b are float32, or what `factor` returns.
  onnx::Value product(const onnx::Value& a, const onnx::Value& b) const;
  // x [..., in] by weights [out, in] and a bias under `name`.
  onnx::Value linear(const std::string& name, const onnx::Value& x) const;
  onnx::Value layer_norm(const std::string& name, const onnx::Value& x,
                         double epsilon = 1e-5) const;
  // Patches of pixels [B, 3, H, W]: [B, D, H / patch, W / patch].
  onnx::Value patches(const std::string& kernel, const onnx::Value& pixels) const;

  // The weights of scaled dot-product attention, [B, heads, L, L']: queries [B, heads, L, e], keys
  // [B, heads, L', e].
  onnx::Value attention_weights(const onnx::Value& queries, const onnx::Value& keys,
                                int64_t head_width) const;
  // That attention: queries [B, heads, L, e], keys and values [B, heads, L', e].
  onnx::Value attention(const onnx::Value& queries, const onnx::Value& keys,
                        const onnx::Value& values, int64_t head_width) const;
  // The same with a bias [L, L'] on the logits.
  onnx::Value attention(const onnx::Value& queries, const onnx::Value& keys,
                        const onnx::Value& values, int64_t head_width,
                        const onnx::Value& bias) const;

 private:
  onnx::Value narrowed(const onnx::Value& x) const;  // to the number format of products
  onnx::Value logits(const onnx::Value& queries, const onnx::Value& keys, int64_t head_width) const;

  onnx::Graph& graph_;
  const ParameterList& parameters_;
  ExportPrecision precision_;
  std::string source_;
};

// x [B, L, d] -> [B, heads, L, d / heads], and back.
onnx::Value split_heads(const onnx::Value& x, int64_t heads, int64_t head_width);
onnx::Value merge_heads(const onnx::Value& x, int64_t width);

}  // namespace tagclip
