#include "train/lowered_weights.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"

namespace tagclip {

LoweredWeights::LoweredWeights(std::vector<Parameter> matrices) : matrices_(std::move(matrices)) {
  for (const Parameter& matrix : matrices_) {
    TAGCLIP_CHECK(!matrix.tensor.requires_grad(), matrix.name + " is trained");
    originals_.push_back(matrix.tensor.detach().to(at::kCPU));
    lowered_.push_back(matrix.tensor.detach().to(at::kBFloat16));
  }
}

void LoweredWeights::lower() {
  for (size_t i = 0; i < matrices_.size(); ++i) matrices_[i].tensor.set_data(lowered_[i]);
}

void LoweredWeights::raise() {
  for (size_t i = 0; i < matrices_.size(); ++i) {
    matrices_[i].tensor.set_data(originals_[i].to(matrices_[i].tensor.device()));
  }
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
