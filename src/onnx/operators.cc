#include "onnx/operators.h"

#include <limits>

namespace tagclip::onnx {

Value operator+(const Value& a, const Value& b) { return a.graph->node("Add", {a, b}); }
Value operator-(const Value& a, const Value& b) { return a.graph->node("Sub", {a, b}); }
Value operator*(const Value& a, const Value& b) { return a.graph->node("Mul", {a, b}); }
Value operator/(const Value& a, const Value& b) { return a.graph->node("Div", {a, b}); }
Value operator+(const Value& a, float b) { return a + a.graph->constant(b); }
Value operator-(const Value& a, float b) { return a - a.graph->constant(b); }
Value operator-(float a, const Value& b) { return b.graph->constant(a) - b; }
Value operator*(const Value& a, float b) { return a * a.graph->constant(b); }
Value operator/(float a, const Value& b) { return b.graph->constant(a) / b; }

Value matmul(const Value& a, const Value& b) { return a.graph->node("MatMul", {a, b}); }
Value softmax(const Value& x) { return x.graph->node("Softmax", {x}, {{"axis", int64_t{-1}}}); }
Value sigmoid(const Value& x) { return x.graph->node("Sigmoid", {x}); }
Value relu(const Value& x) { return x.graph->node("Relu", {x}); }
Value absolute(const Value& x) { return x.graph->node("Abs", {x}); }
Value erf(const Value& x) { return x.graph->node("Erf", {x}); }
Value exp(const Value& x) { return x.graph->node("Exp", {x}); }

Value layer_norm(const Value& x, const Value& weight, const Value& bias, float epsilon) {
  return x.graph->node("LayerNormalization", {x, weight, bias},
                       {{"axis", int64_t{-1}}, {"epsilon", epsilon}});
}

Value l2_normalize(const Value& x) {
  return x / x.graph->node("ReduceL2", {x},
                           {{"axes", std::vector<int64_t>{-1}}, {"keepdims", int64_t{1}}});
}

Value conv2d(const Value& x, const Value& kernel, int64_t stride) {
  return x.graph->node("Conv", {x, kernel}, {{"strides", std::vector<int64_t>{stride, stride}}});
}

Value sum(const Value& x, int64_t axis, bool keep) {
  return x.graph->node("ReduceSum", {x, x.graph->constant(std::vector{axis})},
                       {{"keepdims", int64_t{keep}}});
}

Value mean(const Value& x, int64_t axis, bool keep) {
  return x.graph->node("ReduceMean", {x},
                       {{"axes", std::vector{axis}}, {"keepdims", int64_t{keep}}});
}

Value maximum(const Value& x, int64_t axis, bool keep) {
  return x.graph->node("ReduceMax", {x},
                       {{"axes", std::vector{axis}}, {"keepdims", int64_t{keep}}});
}

Value argmax(const Value& x, int64_t axis) {
  return x.graph->node("ArgMax", {x}, {{"axis", axis}, {"keepdims", int64_t{0}}});
}

Value where(const Value& condition, const Value& a, const Value& b) {
  return condition.graph->node("Where", {condition, a, b});
}
Value greater(const Value& a, const Value& b) { return a.graph->node("Greater", {a, b}); }
Value equal(const Value& a, const Value& b) { return a.graph->node("Equal", {a, b}); }
Value logical_and(const Value& a, const Value& b) { return a.graph->node("And", {a, b}); }
Value logical_not(const Value& x) { return x.graph->node("Not", {x}); }

Value cast(const Value& x, ElementType type) {
  return x.graph->node("Cast", {x}, {{"to", static_cast<int64_t>(type)}});
}

Value shape_of(const Value& x, int64_t begin, int64_t end) {
  return x.graph->node("Shape", {x}, {{"start", begin}, {"end", end}});
}

Value concat(const std::vector<Value>& values, int64_t axis) {
  return values.front().graph->node("Concat", values, {{"axis", axis}});
}

Value reshape(const Value& x, const std::vector<int64_t>& shape) {
  return reshape(x, x.graph->constant(shape));
}

Value reshape(const Value& x, const Value& shape) { return x.graph->node("Reshape", {x, shape}); }

Value transpose(const Value& x, const std::vector<int64_t>& order) {
  return x.graph->node("Transpose", {x}, {{"perm", order}});
}

Value unsqueeze(const Value& x, const std::vector<int64_t>& axes) {
  return x.graph->node("Unsqueeze", {x, x.graph->constant(axes)});
}

Value squeeze(const Value& x, int64_t axis) {
  return x.graph->node("Squeeze", {x, x.graph->constant(std::vector{axis})});
}

Value slice(const Value& x, int64_t axis, int64_t begin, std::optional<int64_t> end) {
  const auto list = [&](int64_t value) { return x.graph->constant(std::vector{value}); };
  return x.graph->node(
      "Slice",
      {x, list(begin), list(end.value_or(std::numeric_limits<int64_t>::max())), list(axis)});
}

std::vector<Value> split(const Value& x, int64_t axis, size_t parts) {
  return x.graph->node("Split", {x}, {{"axis", axis}}, parts);
}

Value expand(const Value& x, const Value& shape) { return x.graph->node("Expand", {x, shape}); }

Value range(const Value& count) {
  const Value limit = squeeze(cast(count, ElementType::kFloat), 0);
  return count.graph->node("Range",
                           {count.graph->constant(0.0F), limit, count.graph->constant(1.0F)});
}

Value resize_bilinear(const Value& maps, const Value& size) {
  Graph& graph = *maps.graph;
  const Value sizes = concat({shape_of(maps, 0, 2), size}, 0);
  return graph.node("Resize", {maps, graph.left_out(), graph.left_out(), sizes},
                    {{"mode", "linear"}, {"coordinate_transformation_mode", "half_pixel"}});
}

}  // namespace tagclip::onnx
