#include "export/graph_builder.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"

namespace tagclip {

using onnx::ElementType;
using onnx::Value;

namespace {

// These end the names of initialisers.
constexpr const char* kNarrow = ".float16";
constexpr const char* kTransposed = ".transposed";

onnx::Tensor onnx_tensor(const at::Tensor& tensor) {
  const auto kept = std::make_shared<const at::Tensor>(tensor.detach().cpu().contiguous());
  const ElementType type =
      kept->scalar_type() == at::kHalf ? ElementType::kFloat16 : ElementType::kFloat;
  return {type,
          kept->sizes().vec(),
          {static_cast<const std::byte*>(kept->const_data_ptr()), kept->nbytes()},
          kept};
}

}  // namespace

GraphBuilder::GraphBuilder(onnx::Graph& graph, const ParameterList& parameters,
                           ExportPrecision precision, std::string source)
    : graph_(graph), parameters_(parameters), precision_(precision), source_(std::move(source)) {}

const at::Tensor& GraphBuilder::parameter(const std::string& name) const {
  const at::Tensor* found = parameters_.find(name);
  TAGCLIP_CHECK(found != nullptr, "there is no parameter " + name);
  return *found;
}

Value GraphBuilder::constant(const std::string& name, const at::Tensor& tensor) const {
  if (graph_.has_initializer(name)) return {&graph_, name};
  return graph_.initializer(name, onnx_tensor(tensor.to(at::kFloat)));
}

Value GraphBuilder::factor(const std::string& name, const at::Tensor& tensor) const {
  if (precision_ == ExportPrecision::kFloat32) return constant(name, tensor);
  const std::string narrow = name + kNarrow;
  if (graph_.has_initializer(narrow)) return {&graph_, narrow};
  const at::Tensor converted = tensor.to(at::kHalf);
  if (converted.isinf().any().item<bool>()) {
    const std::string parameter = name.substr(0, name.rfind(kTransposed));
    throw bad_input(fmt::format("{}: {} holds {:g}, too large for float16", source_, parameter,
                                tensor.abs().max().item<double>()),
                    "set `precision` to float32");
  }
  return graph_.initializer(narrow, onnx_tensor(converted));
}

Value GraphBuilder::narrowed(const Value& x) const {
  if (precision_ == ExportPrecision::kFloat32 || x.name.ends_with(kNarrow)) return x;
  return cast(x, ElementType::kFloat16);
}

Value GraphBuilder::product(const Value& a, const Value& b) const {
  const Value result = matmul(narrowed(a), narrowed(b));
  return precision_ == ExportPrecision::kFloat32 ? result : cast(result, ElementType::kFloat);
}

Value GraphBuilder::linear(const std::string& name, const Value& x) const {
  const bool packed = name.ends_with("in_proj");  // q, k and v as torch.nn.MultiheadAttention
  const std::string weight = name + (packed ? "_weight" : ".weight");
  return product(x, factor(weight + kTransposed, parameter(weight).t())) +
         this->weight(name + (packed ? "_bias" : ".bias"));
}

Value GraphBuilder::layer_norm(const std::string& name, const Value& x, double epsilon) const {
  return onnx::layer_norm(x, weight(name + ".weight"), weight(name + ".bias"),
                          static_cast<float>(epsilon));
}

Value GraphBuilder::patches(const std::string& kernel, const Value& pixels) const {
  const at::Tensor& weights = parameter(kernel);
  const Value result = conv2d(narrowed(pixels), factor(kernel, weights), weights.size(2));
  return precision_ == ExportPrecision::kFloat32 ? result : cast(result, ElementType::kFloat);
}

Value GraphBuilder::logits(const Value& queries, const Value& keys, int64_t head_width) const {
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head_width)));
  return product(queries * scale, transpose(keys, {0, 1, 3, 2}));
}

Value GraphBuilder::attention_weights(const Value& queries, const Value& keys,
                                      int64_t head_width) const {
  return softmax(logits(queries, keys, head_width));
}

Value GraphBuilder::attention(const Value& queries, const Value& keys, const Value& values,
                              int64_t head_width) const {
  return product(attention_weights(queries, keys, head_width), values);
}

Value GraphBuilder::attention(const Value& queries, const Value& keys, const Value& values,
                              int64_t head_width, const Value& bias) const {
  return product(softmax(logits(queries, keys, head_width) + bias), values);
}

Value split_heads(const Value& x, int64_t heads, int64_t head_width) {
  return transpose(reshape(x, {0, 0, heads, head_width}), {0, 2, 1, 3});
}

Value merge_heads(const Value& x, int64_t width) {
  return reshape(transpose(x, {0, 2, 1, 3}), {0, 0, width});
}

}  // namespace tagclip
