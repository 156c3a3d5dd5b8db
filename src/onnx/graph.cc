#include "onnx/graph.h"

#include <fmt/format.h>

#include "base/error.h"

namespace tagclip::onnx {
namespace {

// Field numbers of onnx.proto.
namespace field {
namespace node {
constexpr int kInput = 1, kOutput = 2, kName = 3, kOpType = 4, kAttribute = 5;
}
namespace attribute {
constexpr int kName = 1, kFloat = 2, kInteger = 3, kText = 4, kIntegers = 8, kType = 20;
constexpr int64_t kIsFloat = 1, kIsInteger = 2, kIsText = 3, kIsIntegers = 7;
}  // namespace attribute
namespace graph {
constexpr int kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12;
}
namespace value_info {
constexpr int kName = 1, kType = 2;
}
namespace type {
constexpr int kTensor = 1, kElementType = 1, kShape = 2, kDimension = 1;
constexpr int kDimensionValue = 1, kDimensionName = 2;
}  // namespace type
}  // namespace field

Message value_info(const std::string& name, ElementType element_type, const Shape& shape) {
  Message dimensions;
  for (const Dimension& dimension : shape) {
    Message entry;
    if (const auto* length = std::get_if<int64_t>(&dimension)) {
      entry.add_integer(field::type::kDimensionValue, *length);
    } else {
      entry.add_text(field::type::kDimensionName, std::get<std::string>(dimension));
    }
    dimensions.add_message(field::type::kDimension, entry);
  }
  Message tensor, type, info;
  tensor.add_integer(field::type::kElementType, static_cast<int64_t>(element_type));
  tensor.add_message(field::type::kShape, dimensions);
  type.add_message(field::type::kTensor, tensor);
  info.add_text(field::value_info::kName, name);
  info.add_message(field::value_info::kType, type);
  return info;
}

Message attribute_message(const Attribute& attribute) {
  using namespace field::attribute;
  Message message;
  message.add_text(kName, attribute.name);
  if (const auto* number = std::get_if<int64_t>(&attribute.value)) {
    message.add_integer(kInteger, *number);
    message.add_integer(kType, kIsInteger);
  } else if (const auto* real = std::get_if<float>(&attribute.value)) {
    message.add_float(kFloat, *real);
    message.add_integer(kType, kIsFloat);
  } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    message.add_text(kText, *text);
    message.add_integer(kType, kIsText);
  } else {
    for (const int64_t number : std::get<std::vector<int64_t>>(attribute.value)) {
      message.add_integer(kIntegers, number);
    }
    message.add_integer(kType, kIsIntegers);
  }
  return message;
}

template <class Element>
Tensor tensor_of(ElementType type, std::vector<int64_t> shape, std::vector<Element> elements) {
  const auto owner = std::make_shared<const std::vector<Element>>(std::move(elements));
  return {type, std::move(shape), std::as_bytes(std::span(*owner)), owner};
}

}  // namespace

Value Graph::input(const std::string& name, ElementType type, const Shape& shape) {
  inputs_.push_back(value_info(name, type, shape));
  return {this, name};
}

void Graph::output(const Value& value, const std::string& name, ElementType type,
                   const Shape& shape) {
  Message identity;
  identity.add_text(field::node::kInput, value.name);
  identity.add_text(field::node::kOutput, name);
  identity.add_text(field::node::kName, "output_" + name);
  identity.add_text(field::node::kOpType, "Identity");
  nodes_.push_back(identity);
  outputs_.push_back(value_info(name, type, shape));
}

Value Graph::initializer(const std::string& name, Tensor tensor) {
  if (places_.emplace(name, initializers_.size()).second) {
    initializers_.push_back({name, std::move(tensor)});
  }
  return {this, name};
}

Value Graph::constant(const std::vector<int64_t>& values) {
  const auto length = static_cast<int64_t>(values.size());
  return initializer(fmt::format("integers_{}", fmt::join(values, "_")),
                     tensor_of(ElementType::kInt64, {length}, values));
}

Value Graph::constant(float value) {
  return initializer(fmt::format("number_{}", value),
                     tensor_of(ElementType::kFloat, {}, std::vector<float>{value}));
}

Value Graph::node(const std::string& op, const std::vector<Value>& inputs,
                  const std::vector<Attribute>& attributes) {
  return node(op, inputs, attributes, 1).front();
}

std::vector<Value> Graph::node(const std::string& op, const std::vector<Value>& inputs,
                               const std::vector<Attribute>& attributes, size_t outputs) {
  const std::string name = fmt::format("{}_{}", op, op_counts_[op]++);
  Message message;
  for (const Value& value : inputs) {
    TAGCLIP_CHECK(value.graph == this, "a node reads values of its own graph");
    message.add_text(field::node::kInput, value.name);
  }
  std::vector<Value> results;
  for (size_t i = 0; i < outputs; ++i) {
    results.push_back({this, outputs == 1 ? name + "_out" : fmt::format("{}_out_{}", name, i)});
    message.add_text(field::node::kOutput, results.back().name);
  }
  message.add_text(field::node::kName, name);
  message.add_text(field::node::kOpType, op);
  for (const Attribute& attribute : attributes) {
    message.add_message(field::node::kAttribute, attribute_message(attribute));
  }
  nodes_.push_back(std::move(message));
  return results;
}

Message Graph::message(const std::vector<Message>& initializers) const {
  Message graph;
  for (const Message& node : nodes_) graph.add_message(field::graph::kNode, node);
  graph.add_text(field::graph::kName, name_);
  for (const Message& tensor : initializers) graph.add_message(field::graph::kInitializer, tensor);
  for (const Message& input : inputs_) graph.add_message(field::graph::kInput, input);
  for (const Message& output : outputs_) graph.add_message(field::graph::kOutput, output);
  return graph;
}

}  // namespace tagclip::onnx
