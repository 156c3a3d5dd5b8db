#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "onnx/message.h"

namespace tagclip::onnx {

// The version of the operator set that graphs are written in, and the version of the file format
// that came with it.
inline constexpr int64_t kOpset = 17;
inline constexpr int64_t kIrVersion = 8;

// The types of elements, with the numbers that ONNX gives them.
enum class ElementType : int32_t {
  kFloat = 1,
  kUint8 = 2,
  kInt64 = 7,
  kBool = 9,
  kFloat16 = 10,
};

// A dimension is a length, or a name where the length is known at run time only: equal names have
// equal lengths.
using Dimension = std::variant<int64_t, std::string>;
using Shape = std::vector<Dimension>;

// A constant tensor, row-major and little-endian.
struct Tensor {
  ElementType type = ElementType::kFloat;
  std::vector<int64_t> shape;
  std::span<const std::byte> data;
  std::shared_ptr<const void> owner;  // keeps `data` alive
};

class Graph;

// A tensor that the graph computes or holds: an edge between nodes. Valid as long as its graph.
struct Value {
  Graph* graph = nullptr;
  std::string name;
};

struct Attribute {
  std::string name;
  std::variant<int64_t, float, std::string, std::vector<int64_t>> value;
};

// Collects a graph of operators, each node after those it reads.
class Graph {
 public:
  explicit Graph(std::string name) : name_(std::move(name)) {}
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  Value input(const std::string& name, ElementType type, const Shape& shape);
  void output(const Value& value, const std::string& name, ElementType type, const Shape& shape);

  // Adds a tensor of weights, or returns the one of that name that is there already.
  Value initializer(const std::string& name, Tensor tensor);
  bool has_initializer(const std::string& name) const { return places_.contains(name); }
  // Small constants, held once each: a list [n] or a single number [].
  Value constant(const std::vector<int64_t>& values);
  Value constant(float value);

  // Adds a node and returns its output, or its outputs. An input that is left out has no name.
  Value node(const std::string& op, const std::vector<Value>& inputs,
             const std::vector<Attribute>& attributes = {});
  std::vector<Value> node(const std::string& op, const std::vector<Value>& inputs,
                          const std::vector<Attribute>& attributes, size_t outputs);
  Value left_out() { return {this, ""}; }

  struct NamedTensor {
    std::string name;
    Tensor tensor;
  };
  const std::vector<NamedTensor>& initializers() const { return initializers_; }
  // Returns the graph as a GraphProto whose tensors lie in `initializers`, one TensorProto each.
  Message message(const std::vector<Message>& initializers) const;

 private:
  std::string name_;
  std::vector<Message> inputs_, outputs_, nodes_;
  std::vector<NamedTensor> initializers_;
  std::map<std::string, size_t> places_;      // of initializers, by name
  std::map<std::string, int64_t> op_counts_;  // nodes so far, for their names
};

}  // namespace tagclip::onnx
