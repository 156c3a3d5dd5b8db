#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

namespace tagclip {

// Fills a parameter with its start value.
using Initialiser = std::function<void(at::Tensor&, at::Generator&)>;

Initialiser constant(double value);
Initialiser uniform(double low, double high);
Initialiser normal(double std);
// Xavier (Glorot) uniform of a matrix: U(-v, v), v = sqrt(6 / (rows + columns)).
Initialiser xavier_uniform();
// U(-v, v), v = 1 / sqrt(fan_in): what torch.nn.Linear gives to both weight and bias.
Initialiser fan_in_uniform(int64_t fan_in);

// A named tensor of a model.
struct Parameter {
  std::string name;  // as in the published checkpoints
  at::Tensor tensor;
  Initialiser initialise;
};

// All parameters of a model, in the order they were declared. Modules keep handles to the same
// tensors: loading, moving and marking as trained here changes what the forward pass reads.
class ParameterList {
 public:
  const std::vector<Parameter>& all() const { return parameters_; }
  // nullptr when there is no such parameter.
  const at::Tensor* find(const std::string& name) const;
  int64_t count() const;  // elements in all

  void initialise(at::Generator& generator);
  // Gives every parameter memory of its own; values are undefined where it had none.
  void allocate();
  // Moves every tensor, in place for the modules that hold it.
  void to(at::Device device);
  // Lets exactly the parameters that `trained` accepts receive gradients.
  void set_trained(const std::function<bool(const std::string&)>& trained);
  std::vector<Parameter> trained() const;

 private:
  friend class ParameterScope;
  std::vector<Parameter> parameters_;
};

// A module's place in the tree of parameter names: `scope / "attn"` is one level below.
class ParameterScope {
 public:
  ParameterScope(ParameterList& list, std::string prefix = "")
      : list_(&list), prefix_(std::move(prefix)) {}

  ParameterScope operator/(const std::string& name) const {
    return {*list_, prefix_.empty() ? name : prefix_ + "." + name};
  }
  // Declares a float32 parameter. It reads as zeros and takes no memory until it is loaded or
  // initialised: sizes that a file claims cost nothing before its tensors are checked against them.
  at::Tensor add(const std::string& name, at::IntArrayRef shape, Initialiser initialise) const;
  // Every parameter declared under this scope starts as a copy of the one that has its name under
  // `original`, which must have been declared before.
  void start_as_copy_of(const ParameterScope& original) const;

 private:
  ParameterList* list_;
  std::string prefix_;
};

}  // namespace tagclip
