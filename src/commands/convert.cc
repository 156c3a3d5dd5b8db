#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
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

// "12,8" as the heads of the vision and the text tower.
void parse_heads(const std::string& text, ClipAnswers& answers) {
  if (text.empty()) return;
  const size_t comma = text.find(',');
  const auto vision = parse_number<int64_t>(text.substr(0, comma));
  const auto words =
      comma == text.npos ? std::nullopt : parse_number<int64_t>(text.substr(comma + 1));
  if (!vision || !words || *vision < 1 || *words < 1) {
    throw usage_error(fmt::format("`heads`: expected two whole numbers from 1, such as 12,8; found "
                                  "{}",
                                  in_quotes(text)),
                      "the first is of the vision tower, the second of the text tower");
  }
  answers.vision_heads = *vision;
  answers.text_heads = *words;
}

ClipAnswers answers_of(const ConvertOptions& options) {
  ClipAnswers answers;
  parse_heads(options.heads, answers);
  if (!options.activation.empty()) answers.quick_gelu = options.activation == "quick_gelu";
  return answers;
}

// Throws where something was assumed: once written, it would be read as a fact.
void check_known(const ClipWeights& weights, const ClipAnswers& answers) {
  const ClipConfig& config = weights.config;
  if (weights.heads_are_assumed || weights.activation_is_assumed) {
    std::string settings;
    if (weights.heads_are_assumed) {
      settings = fmt::format("`heads` ({},{} if the assumption is right)", config.vision_heads,
                             config.text_heads);
    }
    if (weights.activation_is_assumed) {
      settings += settings.empty() ? "" : " and ";
      settings += "`activation` (quick_gelu or gelu)";
    }
    throw usage_error(fmt::format("{}: what a conversion writes must be known, but {}",
                                  weights.state.source, weights.assumption),
                      "set " + settings + ", or put the config that it came with beside it");
  }
  const bool other_heads =
      answers.vision_heads > 0 &&
      (answers.vision_heads != config.vision_heads || answers.text_heads != config.text_heads);
  const bool quick = config.activation == Activation::kQuickGelu;
  const bool other_activation = answers.quick_gelu.has_value() && *answers.quick_gelu != quick;
  if (!other_heads && !other_activation) return;
  throw usage_error(
      fmt::format("{}: it is known to have {} and {} heads and {}", weights.state.source,
                  config.vision_heads, config.text_heads, quick ? "quick_gelu" : "gelu"),
      fmt::format("leave {} out", other_heads ? "`heads`" : "`activation`"));
}

void convert_clip(const ConvertOptions& options, ClipWeights weights) {
  const ClipConfig& config = weights.config;
  // Tensors that do not fit together are no CLIP in any layout.
  weights.state = fitted(Clip(config).parameters, std::move(weights.state));
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
  if (!options.activation.empty() || !options.heads.empty()) {
    throw usage_error("`activation` and `heads` are for a CLIP; a segmentation model's are known");
  }
  ModelWeights weights = read_model_weights(stored);
  const SegmentationModel model(weights.config, weights.state.contains_prefix("text_encoder."));
  weights.state = fitted(model.parameters, std::move(weights.state));
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
    const ClipAnswers answers = answers_of(options);
    ClipWeights weights = read_clip_weights(stored, /*head_counts=*/{}, answers);
    check_known(weights, answers);
    what = fmt::format("a CLIP ({})", to_string(weights.dialect));
    convert_clip(options, std::move(weights));
  }
  if (const std::string& choice = stored.wrapping.choice; !choice.empty()) {
    console.warn(stored.source + ": " + choice);
  }
  if (const std::string prefix = describe_prefix(stored.wrapping); !prefix.empty()) {
    console.note(stored.source + ": " + prefix);
  }
  for (const std::string& part : stored.wrapping.left_out) console.note("left out: " + part);
  console.print(
      fmt::format("{}: {}, in the layout of {}", options.output.string(), what, options.to));
  return 0;
}
