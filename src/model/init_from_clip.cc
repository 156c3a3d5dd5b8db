#include "model/init_from_clip.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

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

void initialise_from_clip(SegmentationModel& model, const Clip& clip) {
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

StartingClip load_starting_clip(const std::filesystem::path& path) {
  return load_starting_clip(read_stored_weights(path));
}

StartingClip load_starting_clip(const StoredWeights& stored) {
  if (!is_segmentation_model(stored)) {
    const ClipWeights weights = read_clip_weights(stored);
    std::string assumption = stored.wrapping.choice;
    if (!assumption.empty() && !weights.assumption.empty()) assumption += "; ";
    return {make_clip(weights), assumption + weights.assumption, /*knows_temperature=*/true};
  }
  const LoadedModel loaded = load_model(stored);
  if (!loaded.model.text_encoder) {
    throw bad_input(stored.source + ": this model has no text tower to start from",
                    "give the CLIP it was made from, such as OpenAI's ViT-B-16.pt");
  }
  Clip clip(loaded.model.config.clip);
  at::NoGradGuard no_grad;
  clip.parameters.allocate();
  for (const Parameter& parameter : clip.parameters.all()) {
    if (parameter.name == kTemperature) continue;
    at::Tensor(parameter.tensor)
        .copy_(*loaded.model.parameters.find(name_in_model(parameter.name)));
  }
  at::Tensor(clip.logit_scale).fill_(std::log(100.0));
  return {std::move(clip), {}, /*knows_temperature=*/false};
}

}  // namespace tagclip
