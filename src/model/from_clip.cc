#include "model/from_clip.h"

#include <ATen/core/grad_mode.h>

#include "base/error.h"
#include "clip/clip_file.h"
#include "model/checkpoint.h"

namespace tagclip {
namespace {

constexpr const char* kTemperature = "logit_scale";

std::string name_in_model(const std::string& name) {
  const std::string visual = "visual.";
  return name.starts_with(visual) ? "backbone." + name.substr(visual.size())
                                  : "text_encoder." + name;
}

}  // namespace

void start_from_clip(SegmentationModel& model, const Clip& clip) {
  TAGCLIP_CHECK(model.text_encoder.has_value(), "the model needs a text tower");
  at::NoGradGuard no_grad;
  const int64_t grid = model.config.clip.grid();
  for (const Parameter& parameter : clip.parameters.all()) {
    if (parameter.name == kTemperature) continue;  // plays no part in segmentation
    const std::string name = name_in_model(parameter.name);
    const at::Tensor* target = model.parameters.find(name);
    TAGCLIP_CHECK(target != nullptr, "the model has no parameter " + name);
    const bool positions = name == "backbone.positional_embedding";
    at::Tensor(*target).copy_(positions ? resize_positions(parameter.tensor, grid, grid)
                                        : parameter.tensor);
  }
}

Clip load_starting_clip(const std::filesystem::path& path) {
  if (SafetensorsFile::open(path).metadata().contains("tagclip.clip")) return load_clip(path);
  const LoadedModel loaded = load_model(path);
  if (!loaded.model.text_encoder) {
    throw bad_input(path.string() + ": this model has no text tower to start from");
  }
  Clip clip(loaded.model.config.clip);
  at::Generator generator = at::detail::createCPUGenerator();
  clip.parameters.initialise(generator);
  at::NoGradGuard no_grad;
  for (const Parameter& parameter : clip.parameters.all()) {
    if (parameter.name == kTemperature) continue;
    at::Tensor(parameter.tensor)
        .copy_(*loaded.model.parameters.find(name_in_model(parameter.name)));
  }
  return clip;
}

}  // namespace tagclip
