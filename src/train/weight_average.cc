#include "train/weight_average.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace tagclip {
namespace {

std::vector<at::Tensor> tensors_of(const Clip& clip) {
  std::vector<at::Tensor> tensors;
  for (const Parameter& parameter : clip.parameters.all()) tensors.push_back(parameter.tensor);
  return tensors;
}

}  // namespace

WeightAverage::WeightAverage(const Clip& clip, double decay) : clip_(clip.config), decay_(decay) {
  const at::NoGradGuard no_grad;
  clip_.parameters.allocate();
  clip_.parameters.to(clip.logit_scale.device());
  const std::vector<at::Tensor> averages = tensors_of(clip_), weights = tensors_of(clip);
  for (size_t i = 0; i < weights.size(); ++i) at::Tensor(averages[i]).copy_(weights[i]);
}

void WeightAverage::update(const Clip& clip, int64_t steps) {
  const at::NoGradGuard no_grad;
  const double n = static_cast<double>(steps);
  const double decay = std::min(decay_, (1 + n) / (10 + n));
  at::_foreach_lerp_(tensors_of(clip_), tensors_of(clip), 1 - decay);
}

std::vector<Parameter> WeightAverage::parameters() const {
  std::vector<Parameter> list = clip_.parameters.all();
  for (Parameter& parameter : list) parameter.name = "ema." + parameter.name;
  return list;
}

}  // namespace tagclip
