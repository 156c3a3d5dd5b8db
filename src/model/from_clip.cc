#include "model/from_clip.h"

#include <ATen/core/grad_mode.h>

#include "base/error.h"

namespace tagclip {
namespace {

std::string name_in_model(const std::string& name) {
  const std::string visual = "visual.";
  return name.starts_with(visual) ? "backbone." + name.substr(visual.size()) : "text_encoder." + name;
}

}  // namespace

void start_from_clip(SegmentationModel& model, const Clip& clip) {
  TAGCLIP_CHECK(model.text_encoder.has_value(), "the model needs a text tower");
  at::NoGradGuard no_grad;
  const int64_t grid = model.config.clip.grid();
  for (const Parameter& parameter : clip.parameters.all()) {
    if (parameter.name == "logit_scale") continue;  // the temperature plays no part in segmentation
    const std::string name = name_in_model(parameter.name);
    const at::Tensor* target = model.parameters.find(name);
    TAGCLIP_CHECK(target != nullptr, "the model has no parameter " + name);
    const bool positions = name == "backbone.positional_embedding";
    at::Tensor(*target).copy_(positions ? resize_positions(parameter.tensor, grid, grid) : parameter.tensor);
  }
}

}  // namespace tagclip
