#include "clip/hugging_face.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "weights/hugging_face_names.h"

namespace tagclip {
namespace {

// Buffers of older exports.
bool is_position_ids(std::string_view name) { return name.ends_with(".embeddings.position_ids"); }

at::Tensor oriented(const at::Tensor& tensor, bool transposed) {
  return transposed && tensor.dim() == 2 ? tensor.t() : tensor;
}

// Concatenates the projections of queries, keys and values.
at::Tensor packed(const StateDict& state, const ProjectionName& projection) {
  std::vector<at::Tensor> parts;
  for (const std::string& name : projection.parts) {
    parts.push_back(state.at(name));
    if (parts.back().sizes() == parts.front().sizes() && parts.back().dim() > 0) continue;
    throw bad_input(state.source + ": " + in_quotes(name) +
                    " has another shape than the queries' projection");
  }
  return at::cat(parts);
}

}  // namespace

StateDict from_hugging_face(const StateDict& state) {
  StateDict result{state.source, {}};
  for (const auto& [name, tensor] : state.tensors) {
    if (is_position_ids(name)) continue;
    if (const auto projection = projection_of_hugging_face(name)) {
      if (projection->part == 0) {
        result.tensors.emplace(projection->packed, packed(state, *projection));
      } else if (!state.contains(projection->parts[0])) {
        result.tensors.emplace(name, tensor);  // `load` will report it as unexpected
      }
      continue;
    }
    const TensorName ours = openai_name(name).value_or(TensorName{name});
    result.tensors.emplace(ours.name, oriented(tensor, ours.transposed));
  }
  return result;
}

StateDict to_hugging_face(const StateDict& state) {
  StateDict result{state.source, {}};
  for (const auto& [name, tensor] : state.tensors) {
    if (const auto projection = projection_of_openai(name)) {
      const auto parts = tensor.chunk(3);
      for (size_t i = 0; i < parts.size(); ++i) {
        result.tensors.emplace(projection->parts.at(i), parts[i]);
      }
      continue;
    }
    const TensorName theirs = hugging_face_name(name).value_or(TensorName{name});
    result.tensors.emplace(theirs.name, oriented(tensor, theirs.transposed));
  }
  return result;
}

std::string hugging_face_config(const ClipConfig& config) {
  using nlohmann::ordered_json;
  const char* activation = config.activation == Activation::kQuickGelu ? "quick_gelu" : "gelu";
  const ordered_json text = {{"model_type", "clip_text_model"},
                             {"hidden_size", config.text_width},
                             {"intermediate_size", config.text_mlp_width()},
                             {"num_attention_heads", config.text_heads},
                             {"num_hidden_layers", config.text_layers},
                             {"vocab_size", config.vocabulary},
                             {"max_position_embeddings", config.context},
                             {"hidden_act", activation},
                             {"layer_norm_eps", 1e-5},
                             {"projection_dim", config.embedding},
                             {"bos_token_id", config.vocabulary - 2},
                             {"eos_token_id", config.vocabulary - 1},
                             {"pad_token_id", 0}};
  const ordered_json vision = {{"model_type", "clip_vision_model"},
                               {"hidden_size", config.vision_width},
                               {"intermediate_size", config.vision_mlp_width()},
                               {"num_attention_heads", config.vision_heads},
                               {"num_hidden_layers", config.vision_layers},
                               {"image_size", config.resolution},
                               {"patch_size", config.patch},
                               {"num_channels", 3},
                               {"hidden_act", activation},
                               {"layer_norm_eps", 1e-5},
                               {"projection_dim", config.embedding}};
  const ordered_json all = {{"architectures", ordered_json::array({"CLIPModel"})},
                            {"model_type", "clip"},
                            {"projection_dim", config.embedding},
                            {"logit_scale_init_value", 2.6592},
                            {"text_config", text},
                            {"vision_config", vision}};
  return all.dump(2) + "\n";
}

std::string hugging_face_preprocessor(const ClipConfig& config) {
  const auto [mean, std] = normalization_of(config.pixel_statistics);
  const nlohmann::ordered_json all = {
      {"image_processor_type", "CLIPImageProcessor"},
      {"do_resize", true},
      {"size", {{"shortest_edge", config.resolution}}},
      {"resample", 3},  // bicubic
      {"do_center_crop", true},
      {"crop_size", {{"height", config.resolution}, {"width", config.resolution}}},
      {"do_rescale", true},
      {"do_normalize", true},
      {"image_mean", mean},
      {"image_std", std},
      {"do_convert_rgb", true}};
  return all.dump(2) + "\n";
}

}  // namespace tagclip
