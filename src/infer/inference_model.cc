#include "infer/inference_model.h"

#include <ATen/Context.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/fields_json.h"
#include "infer/calibration.h"
#include "infer/graphed_model.h"
#include "model/dense_clip.h"
#include "model/init_from_clip.h"
#include "text/class_words.h"
#include "weights/clip_settings.h"

namespace tagclip {
namespace {

bool has_gpu() { return at::hasCUDA() && at::getNumGPUs() > 0; }

}  // namespace

at::Device choose_device(Device device) {
  if (device == Device::kCpu) return at::kCPU;
  if (device == Device::kAuto) return has_gpu() ? at::kCUDA : at::kCPU;
  if (!has_gpu()) {
    throw usage_error(
        at::hasCUDA() ? "there is no CUDA device on this machine" : "this build has no CUDA",
        "set `device` to cpu or auto");
  }
  return at::kCUDA;
}

std::optional<GemmPrecision> gemm_precision(Precision precision) {
  switch (precision) {
    case Precision::kAuto:
      return {};
    case Precision::kFloat32:
      return GemmPrecision::kFloat32;
    case Precision::kBFloat16x3:
      return GemmPrecision::kBFloat16x3;
    case Precision::kBFloat16:
      return GemmPrecision::kBFloat16;
    case Precision::kInt8:
      return GemmPrecision::kInt8;
  }
  TAGCLIP_CHECK(false, "no such precision");
}

DenseMethod dense_method(Mode mode) {
  switch (mode) {
    case Mode::kMaskClip:
      return DenseMethod::kMaskClip;
    case Mode::kSclip:
      return DenseMethod::kSclip;
    case Mode::kClearClip:
      return DenseMethod::kClearClip;
    case Mode::kNaclip:
    case Mode::kQuick:
      return DenseMethod::kNaclip;
    case Mode::kClip:
    case Mode::kScClip:
      return DenseMethod::kScClip;
    case Mode::kSfp:
      return DenseMethod::kSfp;
    case Mode::kPlain:
      return DenseMethod::kPlain;
    case Mode::kAuto:
    case Mode::kTrained:
      break;
  }
  TAGCLIP_CHECK(false, "no such method");
}

Mode mode_for(const StoredWeights& stored, Mode wanted) {
  if (wanted != Mode::kAuto) return wanted;
  if (!is_clip(stored)) return Mode::kTrained;
  return has_trained_patches(stored.metadata) ? Mode::kPlain : Mode::kClip;
}

namespace {

void note_prefix(const StoredWeights& stored, InferenceModel& model) {
  const std::string prefix = describe_prefix(stored.wrapping);
  if (!prefix.empty()) model.notes.push_back(stored.source + ": " + prefix);
}

// The decoder's weights, and the settings of the model that leave no trace in them.
std::string fingerprint_of_decoder(const SegmentationModel& model) {
  std::string settings = to_json(model.config.fields());
  std::vector<at::Tensor> tensors = {
      at::from_blob(settings.data(), {std::ssize(settings)}, at::kByte)};
  for (const Parameter& parameter : model.parameters.all()) {
    if (parameter.name.starts_with("decode_head.")) tensors.push_back(parameter.tensor);
  }
  return fingerprint(tensors);
}

void use_trained(LoadedModel loaded, at::Device device, InferenceModel& model) {
  const c10::InferenceMode no_gradients;
  model.decoder_fingerprint = fingerprint_of_decoder(loaded.model);
  loaded.model.parameters.to(device);
  model.trained_on = std::move(loaded.trained_on);
  model.templates = model.trained_on.templates;
  model.model = dense_model(loaded.model);
  if (!loaded.model.text_encoder) return;
  model.text_tower = std::make_shared<TextTower>(*loaded.model.text_encoder);
  model.text_config = loaded.model.config.clip;
}

LoadedModel load_trained(const StoredWeights& stored) {
  if (is_clip(stored)) {
    read_clip_settings(stored);  // throws where `mode` clip would not take it either
    throw bad_input(
        stored.source + ": a CLIP without a decoder",
        "segment with `mode` clip, or train a decoder for it: tagclip train --set clip=" +
            stored.source);
  }
  return load_model(stored);
}

void use_clip(const StoredWeights& stored, Mode mode, at::Device device, InferenceModel& model) {
  StartingClip starting = load_starting_clip(stored);
  starting.clip.parameters.to(device);
  model.assumption = std::move(starting.assumption);
  model.model = dense_clip(starting.clip, dense_method(mode), mode == Mode::kQuick);
  model.templates = parse_templates(mode == Mode::kPlain ? "{}" : "imagenet");
  model.synonyms = Synonyms::kMax;
  model.text_tower = std::make_shared<TextTower>(starting.clip.text);
  model.text_config = starting.clip.config;
}

void use_text_tower(const std::filesystem::path& weights, at::Device device,
                    InferenceModel& model) {
  const StoredWeights stored = read_stored_weights(weights);
  note_prefix(stored, model);
  StartingClip starting = load_starting_clip(stored);
  model.text_source = weights.string();
  const int64_t embedding = model.model.encoder->info.clip.embedding;
  if (!starting.assumption.empty()) {
    if (!model.assumption.empty()) model.assumption += "; ";
    model.assumption += weights.string() + ": " + starting.assumption;
  }
  if (starting.clip.config.embedding != embedding) {
    throw bad_input(fmt::format("{}: its embeddings have {} numbers, the model's {}",
                                weights.string(), starting.clip.config.embedding, embedding),
                    "give the CLIP that the model was made from");
  }
  starting.clip.parameters.to(device);
  model.text_tower = std::make_shared<TextTower>(starting.clip.text);
  model.text_config = starting.clip.config;
}

void finish(const InferenceOptions& options, at::Device device, InferenceModel& model) {
  if (device.is_cuda()) model.model = graphed(model.model);
  if (!options.text_weights.empty()) use_text_tower(options.text_weights, device, model);
}

}  // namespace

InferenceModel load_for_inference(const std::filesystem::path& weights,
                                  const InferenceOptions& options,
                                  std::optional<at::Device> device) {
  const StoredWeights stored = read_stored_weights(weights);
  const at::Device place = device ? *device : choose_device(options.device);
  InferenceModel model;
  model.source = model.text_source = weights.string();
  note_prefix(stored, model);
  model.mode = mode_for(stored, options.mode);
  if (model.mode == Mode::kTrained) {
    use_trained(load_trained(stored), place, model);
    model.assumption = stored.wrapping.choice;
  } else {
    use_clip(stored, model.mode, place, model);
  }
  if (const auto known = options.calibrated ? read_calibration(weights, model.mode)
                                            : std::optional<Calibration>()) {
    model.model.scoring.seen_temperature = known->seen;
    model.model.scoring.novel_temperature = known->novel;
  }
  finish(options, place, model);
  return model;
}

InferenceModel load_for_inference(LoadedModel loaded, const std::string& source,
                                  const InferenceOptions& options,
                                  std::optional<at::Device> device) {
  const at::Device place = device ? *device : choose_device(options.device);
  InferenceModel model;
  model.source = model.text_source = source;
  model.mode = Mode::kTrained;
  use_trained(std::move(loaded), place, model);
  finish(options, place, model);
  return model;
}

DenseModel in_precision(DenseModel model, GemmPrecision precision) {
  const bool as_it_is =
      model.encoder->info.device.is_cuda() && precision == GemmPrecision::kFloat32;
  return as_it_is ? model : packed(std::move(model), precision);
}

}  // namespace tagclip
