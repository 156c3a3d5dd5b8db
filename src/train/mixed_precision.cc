#include "train/mixed_precision.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"

namespace tagclip {

FrozenBf16Weights::FrozenBf16Weights(std::vector<Parameter> matrices)
    : matrices_(std::move(matrices)) {
  for (const Parameter& matrix : matrices_) {
    TAGCLIP_CHECK(!matrix.tensor.requires_grad(), matrix.name + " is trained");
    float32_.push_back(matrix.tensor.detach().to(at::kCPU));
    bf16_.push_back(matrix.tensor.detach().to(at::kBFloat16));
  }
  to_bf16();
}

void FrozenBf16Weights::to_bf16() {
  for (size_t i = 0; i < matrices_.size(); ++i) matrices_[i].tensor.set_data(bf16_[i]);
}

void FrozenBf16Weights::restore() {
  for (size_t i = 0; i < matrices_.size(); ++i) {
    matrices_[i].tensor.set_data(float32_[i].to(matrices_[i].tensor.device()));
  }
}

FrozenBf16Weights::Float32Scope::Float32Scope(FrozenBf16Weights& weights) : weights_(weights) {
  if (weights.scopes_ == 0) {
    try {
      weights.restore();
    } catch (...) {  // out of memory half-way
      weights.to_bf16();
      throw;
    }
  }
  ++weights.scopes_;
}

FrozenBf16Weights::Float32Scope::~Float32Scope() {
  if (--weights_.scopes_ == 0) weights_.to_bf16();
}

std::vector<Parameter> frozen_matrices(const ParameterList& parameters) {
  std::vector<Parameter> result;
  std::ranges::copy_if(parameters.all(), std::back_inserter(result), [](const Parameter& p) {
    const bool matrix = p.tensor.dim() >= 2 && !p.name.ends_with("positional_embedding");
    return matrix && p.name.starts_with("backbone.") && !p.tensor.requires_grad();
  });
  return result;
}

}  // namespace tagclip
