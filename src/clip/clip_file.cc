#include "clip/clip_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/fields_json.h"
#include "base/text.h"
#include "clip/hugging_face.h"

namespace tagclip {
namespace {

// ClipConfig's 0 stands for the usual: four times the tower's width.
int64_t mlp_setting(int64_t mlp, int64_t width) { return mlp == 4 * width ? 0 : mlp; }

void require(const StateDict& state, const std::vector<SizedTensor>& tensors) {
  for (const auto& [name, dimensions] : tensors) {
    state.at(name, static_cast<int64_t>(dimensions));  // throws
  }
}

namespace fs = std::filesystem;

// The heads that the weights' metadata tell, or those of the values they are compared with.
ClipAnswers with_stored_heads(const Metadata& heads, ClipAnswers known) {
  if (!heads.contains("v_heads") || !heads.contains("t_heads")) return known;
  known.vision_heads = positive_number(heads, "v_heads", 1);
  known.text_heads = positive_number(heads, "t_heads", 1);
  if (!known.quick_gelu) known.quick_gelu = true;
  return known;
}

void apply(const ClipSettings& settings, ClipWeights& weights) {
  weights.config.vision_heads = settings.vision_heads;
  weights.config.text_heads = settings.text_heads;
  weights.config.activation = settings.quick_gelu ? Activation::kQuickGelu : Activation::kGelu;
  if (settings.imagenet_statistics) weights.config.pixel_statistics = PixelStatistics::kImageNet;
  weights.heads_are_assumed = settings.heads_are_assumed;
  weights.activation_is_assumed = settings.activation_is_assumed;
  weights.assumption = settings.assumption;
}

void apply_own_config(ClipWeights& weights) {
  ClipConfig config;
  FieldList fields = config.fields();
  read_json(with_present_names(weights.metadata.at(kClipSettings)), fields, weights.state.source);
  weights.config = config;
}

}  // namespace

TensorShapes shapes_of(const StateDict& state) {
  return {.shape = [&state](const std::string& name) -> std::optional<std::vector<int64_t>> {
            const auto found = state.tensors.find(name);
            if (found == state.tensors.end()) return {};
            return found->second.sizes().vec();
          },
          .contains_prefix =
              [&state](const std::string& prefix) { return state.contains_prefix(prefix); }};
}

void read_vision_sizes(const StateDict& state, const std::string& prefix, ClipConfig& config) {
  require(state, tensors_of_vision_sizes(prefix));
  const VisionSizes sizes = vision_sizes(shapes_of(state), prefix);
  config.vision_width = sizes.width;
  config.vision_heads = published_vision_heads(sizes.width).value_or(1);
  config.vision_layers = sizes.layers;
  config.vision_mlp = mlp_setting(sizes.mlp, sizes.width);
  config.patch = sizes.patch;
  config.embedding = sizes.embedding;
  config.resolution = sizes.grid * sizes.patch;
}

void read_text_sizes(const StateDict& state, const std::string& prefix, ClipConfig& config) {
  require(state, tensors_of_text_sizes(prefix));
  const TextSizes sizes = text_sizes(shapes_of(state), prefix);
  config.vocabulary = sizes.vocabulary;
  config.text_width = sizes.width;
  config.text_heads = published_text_heads(sizes.width).value_or(1);
  config.text_layers = sizes.layers;
  config.text_mlp = mlp_setting(sizes.mlp, sizes.width);
  config.context = sizes.context;
  config.embedding = sizes.embedding;
}

ClipConfig infer_clip_config(const StateDict& state, const Metadata& metadata) {
  ClipConfig config;
  read_text_sizes(state, "", config);
  read_vision_sizes(state, "visual.", config);
  config.vision_heads = positive_number(metadata, "v_heads", config.vision_heads);
  config.text_heads = positive_number(metadata, "t_heads", config.text_heads);
  return config;
}

int64_t positive_number(const Metadata& metadata, const std::string& key, int64_t otherwise) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return otherwise;
  const auto number = parse_number<int64_t>(found->second);
  if (number && *number >= 1) return *number;
  throw bad_input("metadata " + key + ": expected a positive whole number, found " +
                  in_quotes(found->second));
}

std::string with_present_names(const std::string& settings) {
  constexpr std::pair<const char*, const char*> kRenamed[] = {
      {"colours", "pixel_statistics"}, {"clip.colours", "clip.pixel_statistics"}};
  std::optional<nlohmann::json> object = parse_bounded_json(settings);
  if (!object || !object->is_object()) return settings;  // read_json says so
  for (const auto& [former, present] : kRenamed) {
    const auto found = object->find(former);
    if (found == object->end()) continue;
    (*object)[present] = *found;
    object->erase(former);
  }
  return object->dump();
}

ClipWeights read_clip_weights(const StoredWeights& stored, const Metadata& head_counts,
                              const ClipAnswers& known) {
  Metadata heads = stored.metadata;
  heads.insert(head_counts.begin(), head_counts.end());
  const ClipSettings settings = read_clip_settings(stored, with_stored_heads(heads, known));
  ClipWeights weights;
  weights.dialect = settings.dialect;
  weights.state = StateDict::from(stored);
  if (weights.dialect == Dialect::kHuggingFace) weights.state = from_hugging_face(weights.state);
  weights.metadata = stored.metadata;
  for (const char* name : kOpenAiScalars) weights.state.tensors.erase(name);
  weights.state.tensors.erase("attn_mask");  // a buffer of older open_clips

  weights.config = infer_clip_config(weights.state, heads);
  weights.config.pixel_statistics = PixelStatistics::kClip;
  if (weights.dialect == Dialect::kTagclip) {
    apply_own_config(weights);
  } else {
    apply(settings, weights);
  }
  check_stored(weights.config, weights.state.source);
  return weights;
}

ClipWeights read_clip_weights(const fs::path& path) {
  return read_clip_weights(read_stored_weights(path));
}

Clip make_clip(const ClipWeights& weights) {
  Clip clip(weights.config);
  load(clip.parameters, weights.state);
  return clip;
}

Clip load_clip(const fs::path& path) { return make_clip(read_clip_weights(path)); }

std::string open_clip_config(const ClipConfig& config) {
  using nlohmann::ordered_json;
  ordered_json vision = {{"image_size", config.resolution},
                         {"layers", config.vision_layers},
                         {"width", config.vision_width},
                         {"head_width", config.vision_width / config.vision_heads},
                         {"patch_size", config.patch}};
  ordered_json text = {{"context_length", config.context},
                       {"vocab_size", config.vocabulary},
                       {"width", config.text_width},
                       {"heads", config.text_heads},
                       {"layers", config.text_layers}};
  const auto add_ratio = [](ordered_json& tower, int64_t mlp, int64_t width) {
    if (mlp == 4 * width) return;
    // open_clip takes the whole part of width x ratio: half more keeps rounding away from it.
    tower["mlp_ratio"] = (static_cast<double>(mlp) + 0.5) / static_cast<double>(width);
  };
  add_ratio(vision, config.vision_mlp_width(), config.vision_width);
  add_ratio(text, config.text_mlp_width(), config.text_width);
  const ordered_json model = {{"embed_dim", config.embedding},
                              {"quick_gelu", config.activation == Activation::kQuickGelu},
                              {"vision_cfg", vision},
                              {"text_cfg", text}};
  const auto [mean, std] = normalization_of(config.pixel_statistics);
  const ordered_json preprocess = {{"mean", mean}, {"std", std}};
  return ordered_json{{"model_cfg", model}, {"preprocess_cfg", preprocess}}.dump(2) + "\n";
}

Metadata clip_metadata(const ClipConfig& config, Metadata others) {
  others["format"] = "pt";
  others[kClipSettings] = to_json(config.fields());
  return others;
}

void save_clip(const std::filesystem::path& path, const Clip& clip, StorageType precision,
               Metadata metadata) {
  save(path, clip.parameters, precision, clip_metadata(clip.config, std::move(metadata)));
}

}  // namespace tagclip
