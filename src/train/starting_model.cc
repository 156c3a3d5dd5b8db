#include "train/starting_model.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "model/init_from_clip.h"
#include "weights/checkpoint_shards.h"

namespace tagclip {
namespace {

constexpr const char* kPositions = "backbone.positional_embedding";
constexpr const char* kTrustyToken = "decode_head.disc_token";
constexpr const char* kTextTower = "text_encoder.";

ModelConfig model_config(const TrainConfig& config, const ClipConfig& clip) {
  if (config.augment.crop_size % clip.patch != 0) {
    throw usage_error(fmt::format(
        "augment.crop_size: expected a multiple of the CLIP's patches of {} pixels, found {}",
        clip.patch, config.augment.crop_size));
  }
  ModelConfig result = config.model;
  result.clip = clip;
  result.clip.resolution = config.augment.crop_size;
  return result;
}

// Refuses weights that are not there, by the setting that names them.
void check_is_there(const char* setting, const std::string& path) {
  if (path.empty() || path_exists(path)) return;
  throw bad_input(fmt::format("{}: there is no file or folder {}", setting, path),
                  way_to_weights(path));
}

SegmentationModel initialised_from_clip(const TrainConfig& config,
                                        const std::function<void(const std::string&)>& warn) {
  const StartingClip start = load_starting_clip(config.clip);
  if (!start.assumption.empty()) warn(config.clip + ": " + start.assumption);
  SegmentationModel model(model_config(config, start.clip.config), /*with_text_tower=*/true);
  at::Generator generator = at::detail::createCPUGenerator(config.seed);
  model.parameters.initialise(generator);
  initialise_from_clip(model, start.clip);
  return model;
}

// Adds the text tower of config.clip to weights that have none, as published models do.
void add_text_tower(const TrainConfig& config, ModelWeights& start,
                    const std::function<void(const std::string&)>& warn) {
  const bool has_tower = start.state.contains_prefix(kTextTower);
  if (has_tower && !config.clip.empty()) {
    throw usage_error(
        "clip: " + config.start + " has a text tower of its own",
        "leave clip out; to train a decoder for this CLIP instead, leave start empty");
  }
  if (has_tower) return;
  if (config.clip.empty()) {
    throw bad_input(config.start + ": this model has no text tower for the class names",
                    "set clip to the CLIP it was made from, such as OpenAI's ViT-B-16.pt");
  }
  const StartingClip text = load_starting_clip(config.clip);
  if (!text.assumption.empty()) warn(config.clip + ": " + text.assumption);
  const ClipConfig& given = text.clip.config;
  ClipConfig& clip = start.config.clip;
  if (given.embedding != clip.embedding || given.activation != clip.activation) {
    throw bad_input(
        config.clip + ": does not fit " + config.start + ": embedding size or activation differ",
        "give the CLIP it was made from");
  }
  clip.context = given.context;
  clip.vocabulary = given.vocabulary;
  clip.text_width = given.text_width;
  clip.text_layers = given.text_layers;
  clip.text_heads = given.text_heads;
  clip.text_mlp = given.text_mlp;
  for (const Parameter& parameter : text.clip.parameters.all()) {
    if (parameter.name.starts_with("visual.") || parameter.name == "logit_scale") continue;
    start.state.tensors.emplace(kTextTower + parameter.name, parameter.tensor);
  }
}

SegmentationModel initialised_from_model(const TrainConfig& config,
                                         const std::function<void(const std::string&)>& warn) {
  // Published models do not tell their number of decoder heads: the config does.
  ModelWeights start =
      read_model_weights(read_stored_weights(config.start), /*architecture=*/{},
                         {{"decoder_heads", std::to_string(config.model.decoder_heads)}});
  add_text_tower(config, start, warn);
  SegmentationModel model(model_config(config, start.config.clip), /*with_text_tower=*/true);
  start_from_model(model, start);
  return model;
}

// The settings of `found` that `wanted` does not have, such as "model.prompts = 100". The sizes of
// the towers are the start's own, and a trusty token may be left out.
std::string differing_settings(const ModelConfig& wanted, const ModelConfig& found) {
  std::string text;
  const ConstFieldList a = wanted.fields(), b = found.fields();
  for (size_t i = 0; i < a.all().size(); ++i) {
    const std::string& name = a.all()[i].name;
    const std::string ours = to_string(a.all()[i].get()), theirs = to_string(b.all()[i].get());
    if (name.starts_with("clip.") || ours == theirs) continue;
    if (name == "trusty_token" && found.trusty_token) continue;
    text += fmt::format("{}model.{} = {}", text.empty() ? "" : ", ", name, theirs);
  }
  return text;
}

}  // namespace

void start_from_model(SegmentationModel& model, const ModelWeights& start) {
  StateDict state = start.state;
  if (!model.config.trusty_token) state.tensors.erase(kTrustyToken);
  if (const auto positions = state.tensors.find(kPositions);
      positions != state.tensors.end() && positions->second.dim() == 2) {
    const int64_t grid = model.config.clip.grid();
    positions->second = resize_positions(positions->second.to(at::kFloat), grid, grid);
  }
  const std::string settings = differing_settings(model.config, start.config);
  const std::string hint = settings.empty() ? "" : "the model to start from has " + settings;
  try {
    load(model.parameters, state);
  } catch (const Error& error) {
    throw Error(error.kind(), error.what(), hint);
  }
  if (settings.empty()) return;
  throw bad_input(state.source + ": the settings do not fit the model to start from", hint);
}

SegmentationModel starting_model(const TrainConfig& config, at::Device device,
                                 const std::function<void(const std::string&)>& warn) {
  check_is_there("clip", config.clip);
  check_is_there("start", config.start);
  SegmentationModel model = config.start.empty() ? initialised_from_clip(config, warn)
                                                 : initialised_from_model(config, warn);
  model.parameters.to(device);
  return model;
}

}  // namespace tagclip
