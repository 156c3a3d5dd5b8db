#include "cli/weights_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "weights/clip_settings.h"
#include "weights/model_sizes.h"
#include "weights/weights_dialect.h"

namespace tagclip {
namespace {

using Group = WeightsSummary::Group;

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

// Returns the part of the model that a tensor belongs to: the first word of its dotted name.
// OpenAI's names have none for the text tower.
std::string group_of(const std::string& name, bool openai) {
  const std::string word = name.substr(0, name.find('.'));
  constexpr std::array kText = {"token_embedding", "positional_embedding", "transformer",
                                "ln_final", "text_projection"};
  return openai && std::ranges::find(kText, word) != kText.end() ? "(text tower)" : word;
}

std::string describe(const VisionSizes& sizes) {
  if (sizes.width == 0) return {};
  return fmt::format("width {}, {}, patch {}, resolution {} ({}x{} patches), embedding {}",
                     sizes.width, counted(sizes.layers, "layer"), sizes.patch,
                     sizes.grid * sizes.patch, sizes.grid, sizes.grid, sizes.embedding);
}

std::string describe(const TextSizes& sizes) {
  if (sizes.width == 0) return {};
  return fmt::format("width {}, {}, context {}, vocabulary {}, embedding {}", sizes.width,
                     counted(sizes.layers, "layer"), sizes.context, sizes.vocabulary,
                     sizes.embedding);
}

std::string describe(const DecoderSizes& sizes) {
  return fmt::format("{}, self-attention {}, width {}, {}{}", counted(sizes.layers, "layer"),
                     sizes.self_attention, sizes.width,
                     sizes.trusty_token ? "a trusty token" : "no trusty token",
                     sizes.own_learner ? ", a Trusty Learner before it" : "");
}

std::string describe(const PromptSizes& prompts, int64_t layers) {
  const std::string tokens = counted(prompts.tokens, "token") + " per layer";
  return prompts.layers == layers
             ? tokens
             : fmt::format("{}, in the first {} of {}", tokens, prompts.layers, layers);
}

// Says what the token costs: it is one more query beside the classes'.
std::string describe_token(const StoredWeights& file, int64_t parameters) {
  const TensorView* token = file.find("decode_head.disc_token");
  if (token == nullptr) return {};
  return fmt::format(
      "{} parameters, {:.1g}% of all; tagclip report shows its time beside a run without it",
      token->numel(),
      100.0 * static_cast<double>(token->numel()) / static_cast<double>(parameters));
}

// The largest file whose numbers are looked through.
constexpr uint64_t kMostBytes = uint64_t{2} << 30;

void check_numbers_if_small(const StoredWeights& file, WeightsSummary& summary) {
  uint64_t bytes = 0;
  for (const TensorView& tensor : file.tensors) bytes += tensor.data.size();
  if (bytes <= kMostBytes) return check_numbers(file);
  summary.unread =
      "its numbers were not looked through, as there are more than 2 GiB: whether NaN is among "
      "them shows when it is loaded";
}

// Says what can be done with a CLIP or a segmentation model.
void assess_model(const StoredWeights& file, WeightsSummary& summary) {
  if (is_clip(file)) {
    summary.assumption = read_clip_settings(file).assumption;
    check_numbers_if_small(file, summary);
    summary.missing = fmt::format(
        "CLIP only, no decoder: train one (tagclip train --set clip=FILE), or segment with --mode "
        "{}",
        has_trained_patches(file.metadata) ? "plain" : "clip");
    return;
  }
  for (const TensorView& tensor : file.tensors) {
    const bool is_buffer = tensor.name.starts_with("decode_head.loss_decode.");
    if (!is_buffer) check_weight_type(file.source, tensor.name, tensor.dtype);
  }
  check_numbers_if_small(file, summary);
  if (file.contains_prefix("text_encoder.")) return;
  summary.missing = "no text tower: give the CLIP it was made from with --text-weights";
}

// The same, or why the loader would not take it.
void assess(const StoredWeights& file, WeightsSummary& summary) {
  if (!is_clip(file) && !is_segmentation_model(file)) {
    summary.missing = advice_for(file);
    return;
  }
  try {
    assess_model(file, summary);
  } catch (const Error& error) {
    summary.assumption.clear();
    summary.missing = fmt::format("it cannot be used as it is: {}", error.what());
    if (!error.hint().empty()) summary.missing += fmt::format("\n{}", error.hint());
  }
}

}  // namespace

WeightsSummary summarise(const StoredWeights& file) {
  WeightsSummary summary;
  GroupCounter groups, types;
  const bool openai = file.find("visual.conv1.weight") && file.find("token_embedding.weight");
  for (const TensorView& tensor : file.tensors) {
    summary.parameters += tensor.numel();
    groups.add(group_of(tensor.name, openai), tensor);
    types.add(std::string(to_string(tensor.dtype)), tensor);
  }
  summary.groups = groups.take();
  summary.types = types.take();
  summary.kind = describe_weights(file);
  // The parts have the same names in both: only the state as a whole tells them apart.
  if (openai && is_clip(file)) {
    summary.kind = fmt::format("a CLIP of {}", to_string(dialect_of(file)));
  }
  assess(file, summary);

  const auto add = [&](const char* part, const std::string& description) {
    if (!description.empty()) summary.architecture.emplace_back(part, description);
  };
  const TensorShapes shapes = shapes_of(file), translated = openai_shapes_of(file);
  for (const char* prefix : {"backbone.", "visual.", ""}) {
    add("vision tower", describe(vision_sizes(shapes, prefix)));
  }
  add("vision tower", describe(vision_sizes(translated, "visual.")));
  for (const char* prefix : {"text_encoder.", "", "text."}) {
    add("text tower", describe(text_sizes(shapes, prefix)));
  }
  add("text tower", describe(text_sizes(translated, "")));
  if (const auto prompts = prompt_sizes(shapes)) {
    add("visual prompts", describe(*prompts, vision_sizes(shapes, "backbone.").layers));
  }
  if (const auto decoder = decoder_sizes(shapes)) add("decoder", describe(*decoder));
  add("trusty token", describe_token(file, summary.parameters));
  return summary;
}

}  // namespace tagclip
