#include <fmt/format.h>

#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "clip/clip_file.h"
#include "clip/hugging_face.h"
#include "commands/commands.h"
#include "commands/setup.h"
#include "model/checkpoint.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

std::optional<at::ScalarType> parse_precision(const std::string& word) {
  if (word == "keep") return {};
  if (word == "float32") return at::kFloat;
  if (word == "float16") return at::kHalf;
  if (word == "bfloat16") return at::kBFloat16;
  throw usage_error("there is no precision called '" + word + "'",
                    "one of keep, float32, float16, bfloat16");
}

std::map<std::string, at::Tensor> in_precision(const StateDict& state,
                                               const std::string& precision) {
  const std::optional<at::ScalarType> type = parse_precision(precision);
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : state.tensors) {
    const at::Tensor converted = type && tensor.is_floating_point() ? tensor.to(*type) : tensor;
    if (type == at::kHalf && !converted.isinf().equal(tensor.isinf())) {
      throw bad_input(fmt::format("{}: {} holds {:g}, too large for float16", state.source, name,
                                  tensor.abs().max().item<double>()),
                      "set `precision` to bfloat16, which has the range of float32");
    }
    tensors.emplace(name, converted);
  }
  return tensors;
}

// Weights with the config beside them, which the layout needs.
void write_folder(const fs::path& folder, const char* weights_name,
                  const std::map<std::string, at::Tensor>& tensors,
                  const std::map<std::string, std::string>& configs, bool overwrite) {
  check_free(folder / weights_name, overwrite);
  for (const auto& [name, config] : configs) check_free(folder / name, overwrite);
  create_folders(folder);
  save(folder / weights_name, tensors, {{"format", "pt"}});
  for (const auto& [name, config] : configs) write_file(folder / name, config);
}

void convert_clip(const ConvertOptions& options, ClipWeights weights) {
  ClipConfig& config = weights.config;
  if (options.activation == "gelu") config.activation = Activation::kGelu;
  if (options.activation == "quick_gelu") config.activation = Activation::kQuickGelu;
  // Tensors that do not fit together are no CLIP in any layout.
  check_fit(Clip(config).parameters, weights.state);
  if (options.to == "hugging-face") {
    write_folder(options.output, "model.safetensors",
                 in_precision(to_hugging_face(weights.state), options.precision),
                 {{"config.json", hugging_face_config(config)},
                  {"preprocessor_config.json", hugging_face_preprocessor(config)}},
                 options.overwrite);
  } else if (options.to == "open-clip") {
    write_folder(options.output, "open_clip_model.safetensors",
                 in_precision(weights.state, options.precision),
                 {{"open_clip_config.json", open_clip_config(config)}}, options.overwrite);
  } else {
    check_free(options.output, options.overwrite);
    save(options.output, in_precision(weights.state, options.precision),
         clip_metadata(config, weights.metadata));
  }
}

void convert_model(const ConvertOptions& options, const StoredWeights& stored) {
  if (options.to != "tagclip") {
    throw usage_error(fmt::format("{}: a segmentation model has no form in the layout {}",
                                  stored.source, options.to),
                      "set `to` to tagclip, or convert the CLIP it was made from");
  }
  if (!options.activation.empty()) {
    throw usage_error("`activation` is for a CLIP; a segmentation model's is known");
  }
  const ModelWeights weights = read_model_weights(stored);
  check_fit(
      SegmentationModel(weights.config, weights.state.contains_prefix("text_encoder.")).parameters,
      weights.state);
  check_free(options.output, options.overwrite);
  Metadata metadata = stored.metadata;
  metadata.insert_or_assign("format", "pt");
  for (auto& [key, value] : describe(weights.config, weights.trained_on)) metadata[key] = value;
  save(options.output, in_precision(weights.state, options.precision), metadata);
}

}  // namespace
}  // namespace tagclip

int tagclip_convert(const tagclip::ConvertOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  const StoredWeights stored = read_stored_weights(options.input);
  std::string what;
  if (is_segmentation_model(stored)) {
    convert_model(options, stored);
    what = "a segmentation model";
  } else {
    ClipWeights weights = read_clip_weights(stored);
    if (options.activation.empty() && !weights.assumption.empty()) {
      console.warn(fmt::format("{}: {}; set `activation` to say otherwise", options.input.string(),
                               weights.assumption));
    }
    what = fmt::format("a CLIP ({})", to_string(weights.dialect));
    convert_clip(options, std::move(weights));
  }
  for (const std::string& part : stored.left_out) console.note("left out: " + part);
  console.print(
      fmt::format("{}: {}, in the layout of {}", options.output.string(), what, options.to));
  return 0;
}
