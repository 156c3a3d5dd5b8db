#include "clip/parameters.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace tagclip {

Initialiser constant(double value) {
  return [value](at::Tensor& tensor, at::Generator&) { tensor.fill_(value); };
}

Initialiser uniform(double low, double high) {
  return
      [=](at::Tensor& tensor, at::Generator& generator) { tensor.uniform_(low, high, generator); };
}

Initialiser normal(double std) {
  return [=](at::Tensor& tensor, at::Generator& generator) { tensor.normal_(0.0, std, generator); };
}

Initialiser xavier_uniform() {
  return [](at::Tensor& tensor, at::Generator& generator) {
    TAGCLIP_CHECK(tensor.dim() == 2, "Xavier uniform is for matrices");
    const double bound = std::sqrt(6.0 / static_cast<double>(tensor.size(0) + tensor.size(1)));
    tensor.uniform_(-bound, bound, generator);
  };
}

Initialiser fan_in_uniform(int64_t fan_in) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  return uniform(-bound, bound);
}

const at::Tensor* ParameterList::find(const std::string& name) const {
  const auto found = std::ranges::find(parameters_, name, &Parameter::name);
  return found == parameters_.end() ? nullptr : &found->tensor;
}

int64_t ParameterList::count() const {
  int64_t total = 0;
  for (const Parameter& parameter : parameters_) total += parameter.tensor.numel();
  return total;
}

void ParameterList::allocate() {
  for (Parameter& parameter : parameters_) {
    at::Tensor& tensor = parameter.tensor;
    if (!tensor.is_contiguous()) tensor.set_data(at::empty(tensor.sizes(), tensor.options()));
  }
}

void ParameterList::initialise(at::Generator& generator) {
  at::NoGradGuard no_grad;
  allocate();
  for (Parameter& parameter : parameters_) parameter.initialise(parameter.tensor, generator);
}

void ParameterList::to(at::Device device) {
  for (Parameter& parameter : parameters_) parameter.tensor.set_data(parameter.tensor.to(device));
}

void ParameterList::set_trained(const std::function<bool(const std::string&)>& trained) {
  for (Parameter& parameter : parameters_) {
    parameter.tensor.requires_grad_(trained(parameter.name));
  }
}

std::vector<Parameter> ParameterList::trained() const {
  std::vector<Parameter> result;
  std::ranges::copy_if(parameters_, std::back_inserter(result),
                       [](const Parameter& p) { return p.tensor.requires_grad(); });
  return result;
}

at::Tensor ParameterScope::add(const std::string& name, at::IntArrayRef shape,
                               Initialiser initialise) const {
  const std::string full = prefix_.empty() ? name : prefix_ + "." + name;
  TAGCLIP_CHECK(list_->find(full) == nullptr, "parameter declared twice: " + full);
  const at::Tensor tensor = at::zeros({}, at::kFloat).expand(shape);
  list_->parameters_.push_back({full, tensor, std::move(initialise)});
  return tensor;
}

void ParameterScope::start_as_copy_of(const ParameterScope& original) const {
  for (Parameter& parameter : list_->parameters_) {
    if (!parameter.name.starts_with(prefix_ + ".")) continue;
    const std::string name = original.prefix_ + parameter.name.substr(prefix_.size());
    const at::Tensor* source = list_->find(name);
    TAGCLIP_CHECK(source != nullptr, "there is no parameter to copy: " + name);
    parameter.initialise = [source = *source](at::Tensor& tensor, at::Generator&) {
      tensor.copy_(source);
    };
  }
}

}  // namespace tagclip
