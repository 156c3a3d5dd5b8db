#include "clip/hugging_face.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

struct Name {
  std::string_view theirs, ours;
  bool transposed = false;
};

constexpr auto kNames = std::to_array<Name>({
    {"vision_model.embeddings.class_embedding", "visual.class_embedding"},
    {"vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"},
    {"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"},
    {"vision_model.pre_layrnorm.weight", "visual.ln_pre.weight"},  // spelt so
    {"vision_model.pre_layrnorm.bias", "visual.ln_pre.bias"},
    {"vision_model.post_layernorm.weight", "visual.ln_post.weight"},
    {"vision_model.post_layernorm.bias", "visual.ln_post.bias"},
    {"visual_projection.weight", "visual.proj", true},
    {"text_model.embeddings.token_embedding.weight", "token_embedding.weight"},
    {"text_model.embeddings.position_embedding.weight", "positional_embedding"},
    {"text_model.final_layer_norm.weight", "ln_final.weight"},
    {"text_model.final_layer_norm.bias", "ln_final.bias"},
    {"text_projection.weight", "text_projection", true},
});

// Within a tower: {theirs, ours}.
constexpr Name kVisionBlocks = {"vision_model.encoder.layers.", "visual.transformer.resblocks."};
constexpr Name kTextBlocks = {"text_model.encoder.layers.", "transformer.resblocks."};

// Within a block; each stands for a weight and a bias.
constexpr auto kParts = std::to_array<Name>({
    {"self_attn.out_proj.", "attn.out_proj."},
    {"layer_norm1.", "ln_1."},
    {"layer_norm2.", "ln_2."},
    {"mlp.fc1.", "mlp.c_fc."},
    {"mlp.fc2.", "mlp.c_proj."},
});

constexpr std::array<std::string_view, 3> kProjections = {"self_attn.q_proj.", "self_attn.k_proj.",
                                                          "self_attn.v_proj."};
constexpr std::string_view kPacked = "attn.in_proj_";

// Buffers of older exports.
bool is_position_ids(std::string_view name) { return name.ends_with(".embeddings.position_ids"); }

// A name inside a block: "3." and "ln_1.weight" of "transformer.resblocks.3.ln_1.weight".
struct BlockName {
  std::string number;
  std::string_view part;
};

std::optional<BlockName> block_name(std::string_view name, std::string_view blocks) {
  if (!name.starts_with(blocks)) return {};
  name.remove_prefix(blocks.size());
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {};
  return BlockName{std::string(name.substr(0, dot + 1)), name.substr(dot + 1)};
}

std::optional<std::string> renamed(std::string_view part, std::string_view Name::* from,
                                   std::string_view Name::* to) {
  for (const Name& entry : kParts) {
    const std::string_view prefix = entry.*from;
    if (part.starts_with(prefix)) {
      return std::string(entry.*to) + std::string(part.substr(prefix.size()));
    }
  }
  return {};
}

const Name* find(std::string_view name, std::string_view Name::* side) {
  const auto found = std::ranges::find(kNames, name, side);
  return found == kNames.end() ? nullptr : &*found;
}

at::Tensor oriented(const at::Tensor& tensor, bool transposed) {
  return transposed && tensor.dim() == 2 ? tensor.t() : tensor;
}

// Queries, keys and values of a block as one, which `attention` names up to "q_proj.".
at::Tensor packed(const StateDict& state, const std::string& block, const std::string& ending) {
  std::vector<at::Tensor> parts;
  for (const std::string_view projection : kProjections) {
    parts.push_back(state.at(block + std::string(projection) + ending));
    if (parts.back().sizes() == parts.front().sizes() && parts.back().dim() > 0) continue;
    throw bad_input(state.source + ": " + in_quotes(block + std::string(projection) + ending) +
                    " has another shape than the queries' projection");
  }
  return at::cat(parts);
}

// A tensor of a block under our name; nothing where it went into another one.
void add_ours(const StateDict& state, const Name& blocks, const BlockName& name,
              const std::string& full_name, const at::Tensor& tensor, StateDict& result) {
  const std::string ours = std::string(blocks.ours) + name.number;
  if (name.part.starts_with(kProjections[1]) || name.part.starts_with(kProjections[2])) {
    // They follow their queries; alone they are what `load` will not expect.
    const std::string theirs = std::string(blocks.theirs) + name.number;
    const std::string ending(name.part.substr(kProjections[0].size()));
    if (!state.contains(theirs + std::string(kProjections[0]) + ending)) {
      result.tensors.emplace(full_name, tensor);
    }
  } else if (name.part.starts_with(kProjections[0])) {
    const std::string ending(name.part.substr(kProjections[0].size()));
    result.tensors.emplace(ours + std::string(kPacked) + ending,
                           packed(state, std::string(blocks.theirs) + name.number, ending));
  } else {
    const auto part = renamed(name.part, &Name::theirs, &Name::ours);
    result.tensors.emplace(part ? ours + *part : full_name, tensor);
  }
}

void add_theirs(const Name& blocks, const BlockName& name, const std::string& full_name,
                const at::Tensor& tensor, StateDict& result) {
  const std::string theirs = std::string(blocks.theirs) + name.number;
  if (name.part.starts_with(kPacked)) {
    const std::string ending(name.part.substr(kPacked.size()));
    const auto parts = tensor.chunk(3);
    for (size_t i = 0; i < kProjections.size(); ++i) {
      result.tensors.emplace(theirs + std::string(kProjections[i]) + ending, parts.at(i));
    }
    return;
  }
  const auto part = renamed(name.part, &Name::ours, &Name::theirs);
  result.tensors.emplace(part ? theirs + *part : full_name, tensor);
}

}  // namespace

StateDict from_hugging_face(const StateDict& state) {
  StateDict result{state.source, {}};
  for (const auto& [name, tensor] : state.tensors) {
    if (is_position_ids(name)) continue;
    if (const auto block = block_name(name, kVisionBlocks.theirs)) {
      add_ours(state, kVisionBlocks, *block, name, tensor, result);
    } else if (const auto text = block_name(name, kTextBlocks.theirs)) {
      add_ours(state, kTextBlocks, *text, name, tensor, result);
    } else {
      const Name* entry = find(name, &Name::theirs);
      result.tensors.emplace(entry ? std::string(entry->ours) : name,
                             oriented(tensor, entry && entry->transposed));
    }
  }
  return result;
}

StateDict to_hugging_face(const StateDict& state) {
  StateDict result{state.source, {}};
  for (const auto& [name, tensor] : state.tensors) {
    if (const auto block = block_name(name, kVisionBlocks.ours)) {
      add_theirs(kVisionBlocks, *block, name, tensor, result);
    } else if (const auto text = block_name(name, kTextBlocks.ours)) {
      add_theirs(kTextBlocks, *text, name, tensor, result);
    } else {
      const Name* entry = find(name, &Name::ours);
      result.tensors.emplace(entry ? std::string(entry->theirs) : name,
                             oriented(tensor, entry && entry->transposed));
    }
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
  const auto [mean, deviation] = colour_numbers(config.colours);
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
      {"image_std", deviation},
      {"do_convert_rgb", true}};
  return all.dump(2) + "\n";
}

}  // namespace tagclip
