#include "cli/weights_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "base/text.h"
#include "weights/weights_kind.h"

namespace tagclip {
namespace {

using Group = WeightsSummary::Group;
using Shape = std::vector<int64_t>;

// Groups in the order of their first tensor, found by name: a stranger's file may hold a million.
class GroupCounter {
 public:
  void add(const std::string& name, const TensorView& tensor) {
    const auto [found, is_new] = index_.emplace(name, groups_.size());
    if (is_new) groups_.push_back({name});
    groups_[found->second].tensors += 1;
    groups_[found->second].parameters += tensor.numel();
  }
  std::vector<Group> take() { return std::move(groups_); }

 private:
  std::unordered_map<std::string, size_t> index_;
  std::vector<Group> groups_;
};

// Where a tensor belongs: the first word of its dotted name. OpenAI's names have none for the text
// tower.
std::string group_of(const std::string& name, bool openai) {
  const std::string word = name.substr(0, name.find('.'));
  constexpr std::array kText = {"token_embedding", "positional_embedding", "transformer",
                                "ln_final", "text_projection"};
  return openai && std::ranges::find(kText, word) != kText.end() ? "(text tower)" : word;
}

// The dimension of a tensor that must have `dimensions` of them; 0 where it is missing or has
// others.
int64_t size_of(const StoredWeights& file, const std::string& name, size_t dimensions,
                size_t index) {
  const TensorView* tensor = file.find(name);
  return tensor && tensor->shape.size() == dimensions ? tensor->shape[index] : 0;
}

int64_t count_layers(const StoredWeights& file, const std::string& prefix,
                     const std::string& tensor) {
  int64_t layers = 0;
  while (file.find(fmt::format("{}{}.{}", prefix, layers, tensor))) ++layers;
  return layers;
}

// How a dialect of CLIP calls what tells its sizes.
struct Names {
  std::string prefix, conv, positions, layers, layer_tensor, projection;
  size_t projected;  // which dimension of the projection is the embedding
};

std::string describe_vision(const StoredWeights& file, const Names& names) {
  const int64_t width = size_of(file, names.prefix + names.conv, 4, 0);
  if (width == 0) return {};
  const auto positions = static_cast<double>(size_of(file, names.prefix + names.positions, 2, 0));
  const auto grid = std::lround(std::sqrt(std::max(0.0, positions - 1)));
  const int64_t patch = size_of(file, names.prefix + names.conv, 4, 3);
  return fmt::format(
      "width {}, {}, patch {}, resolution {} ({}x{} patches), embedding {}", width,
      counted(count_layers(file, names.prefix + names.layers, names.layer_tensor), "layer"), patch,
      grid * patch, grid, grid, size_of(file, names.projection, 2, names.projected));
}

std::string describe_text(const StoredWeights& file, const Names& names) {
  const int64_t width = size_of(file, names.prefix + names.conv, 2, 1);
  if (width == 0) return {};
  return fmt::format(
      "width {}, {}, context {}, vocabulary {}, embedding {}", width,
      counted(count_layers(file, names.prefix + names.layers, names.layer_tensor), "layer"),
      size_of(file, names.prefix + names.positions, 2, 0),
      size_of(file, names.prefix + names.conv, 2, 0),
      size_of(file, names.projection, 2, names.projected));
}

Names openai_vision(const std::string& prefix) {
  return {prefix,
          "conv1.weight",
          "positional_embedding",
          "transformer.resblocks.",
          "ln_1.weight",
          prefix + "proj",
          1};
}

Names openai_text(const std::string& prefix) {
  return {prefix,
          "token_embedding.weight",
          "positional_embedding",
          "transformer.resblocks.",
          "ln_1.weight",
          prefix + "text_projection",
          1};
}

const Names kHuggingFaceVision = {"vision_model.",
                                  "embeddings.patch_embedding.weight",
                                  "embeddings.position_embedding.weight",
                                  "encoder.layers.",
                                  "layer_norm1.weight",
                                  "visual_projection.weight",
                                  0};
const Names kHuggingFaceText = {"text_model.",
                                "embeddings.token_embedding.weight",
                                "embeddings.position_embedding.weight",
                                "encoder.layers.",
                                "layer_norm1.weight",
                                "text_projection.weight",
                                0};

// "3 layers (a_n_n), width 512": a letter a layer, a where it has self-attention.
std::string describe_decoder(const StoredWeights& file) {
  for (const std::string prefix :
       {"decode_head.decoder.layers.", "decode_head.decoder_1.layers."}) {
    const int64_t layers = count_layers(file, prefix, "linear1.weight");
    if (layers == 0) continue;
    std::string pattern;
    for (int64_t i = 0; i < layers; ++i) {
      pattern += file.find(fmt::format("{}{}.self_attn.in_proj_weight", prefix, i)) ? "_a" : "_n";
    }
    return fmt::format(
        "{}, self-attention {}, width {}, {}{}", counted(layers, "layer"), pattern.substr(1),
        size_of(file, prefix + "0.linear1.weight", 2, 1),
        file.find("decode_head.disc_token") ? "a trusty token" : "no trusty token",
        file.contains_prefix("decode_head.learner.") ? ", a Trusty Learner before it" : "");
  }
  return {};
}

std::string describe_prompts(const StoredWeights& file) {
  const int64_t prompts = size_of(file, "backbone.prompt_embeddings", 3, 1);
  if (prompts == 0) return {};
  const int64_t depth = 1 + size_of(file, "backbone.deep_prompt_embeddings", 3, 0);
  const int64_t layers = count_layers(file, "backbone.transformer.resblocks.", "ln_1.weight");
  const std::string tokens = counted(prompts, "token");
  return depth == layers ? tokens + " a layer"
                         : fmt::format("{} a layer, in the first {} of {}", tokens, depth, layers);
}

std::string missing_part(const StoredWeights& file) {
  if (is_segmentation_model(file) && !file.contains_prefix("text_encoder.")) {
    return "no text tower: give the CLIP it was made from with --text-weights";
  }
  if (is_clip(file)) {
    return "CLIP only, no decoder: train one (tagclip train --set clip=FILE), or segment with "
           "--mode clip";
  }
  const bool vision = file.find("visual.conv1.weight") || file.contains_prefix("vision_model.");
  if (vision) return "no text tower: half a CLIP";
  return {};
}

}  // namespace

WeightsSummary summarise(const StoredWeights& file) {
  WeightsSummary summary;
  std::vector<std::string> names;
  GroupCounter groups, types;
  const bool openai = file.find("visual.conv1.weight") && file.find("token_embedding.weight");
  for (const TensorView& tensor : file.tensors) {
    names.push_back(tensor.name);
    summary.parameters += tensor.numel();
    groups.add(group_of(tensor.name, openai), tensor);
    types.add(std::string(to_string(tensor.dtype)), tensor);
  }
  summary.groups = groups.take();
  summary.types = types.take();
  summary.kind = describe_weights(names);
  // Theirs are the same names: the state as a whole tells them apart.
  if (openai) summary.kind = fmt::format("a CLIP of {}", to_string(dialect_of(file)));
  summary.missing = missing_part(file);

  const auto add = [&](const char* part, const std::string& description) {
    if (!description.empty()) summary.architecture.emplace_back(part, description);
  };
  for (const Names& vision : {openai_vision("backbone."), openai_vision("visual."),
                              openai_vision(""), kHuggingFaceVision}) {
    add("vision tower", describe_vision(file, vision));
  }
  for (const Names& text :
       {openai_text("text_encoder."), openai_text(""), openai_text("text."), kHuggingFaceText}) {
    add("text tower", describe_text(file, text));
  }
  add("visual prompts", describe_prompts(file));
  add("decoder", describe_decoder(file));
  return summary;
}

}  // namespace tagclip
