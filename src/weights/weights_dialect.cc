#include "weights/weights_dialect.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"

namespace tagclip {
namespace {

struct Sign {
  std::string_view first, second;  // both must begin a name; `second` may be empty
  std::string_view description;
};

// The first match counts.
constexpr auto kSigns = std::to_array<Sign>({
    {"in.", "", "reference values for tagclip verify"},
    {"adamw.", "", "the state of a training run"},
    {"backbone.", "decode_head.decoder_1.", "a segmentation model of ZegCLIP's own code"},
    {"backbone.", "decode_head.disc_token", "a TagCLIP segmentation model"},
    {"backbone.", "decode_head.", "a ZegCLIP-like segmentation model without a trusty token"},
    {"visual.trunk.", "", "an open_clip model with a timm vision tower"},
    {"visual.conv1.weight", "token_embedding.weight", "a CLIP with OpenAI's names"},
    {"visual.conv1.weight", "text.", "an open_clip model with a text tower of its own"},
    {"vision_model.embeddings.patch_embedding.", "text_model.", "a CLIP in Hugging Face's layout"},
    {"vision_model.embeddings.patch_embedding.", "",
     "the vision tower of a CLIP in Hugging Face's layout"},
    {"text_model.", "", "the text tower of a CLIP in Hugging Face's layout"},
    {"conv1.weight", "ln_pre.weight", "the vision tower of a CLIP alone"},
    {"backbone.", "", "the backbone of a segmentation model alone"},
    {"module.", "", "weights of a DataParallel training run"},
});

bool begins_one(std::string_view prefix, const std::vector<std::string>& names) {
  return std::ranges::any_of(names,
                             [&](const std::string& name) { return name.starts_with(prefix); });
}

}  // namespace

std::string describe_weights(const std::vector<std::string>& names) {
  if (names.empty()) return "a file without tensors";
  for (const Sign& sign : kSigns) {
    if (begins_one(sign.first, names) && begins_one(sign.second, names)) {
      return std::string(sign.description);
    }
  }
  return "another model (its first tensor is " + in_quotes(names.front()) + ")";
}

namespace {

bool is_hugging_face(const StoredWeights& stored) {
  return stored.contains_prefix("vision_model.") && stored.contains_prefix("text_model.");
}

}  // namespace

bool is_segmentation_model(const StoredWeights& stored) {
  return stored.contains_prefix("backbone.") && stored.contains_prefix("decode_head.");
}

bool is_clip(const StoredWeights& stored) {
  return is_hugging_face(stored) ||
         (stored.find("visual.conv1.weight") && stored.find("token_embedding.weight"));
}

Dialect dialect_of(const StoredWeights& clip) {
  if (clip.metadata.contains(kClipSettings)) return Dialect::kTagclip;
  if (is_hugging_face(clip)) return Dialect::kHuggingFace;
  return clip.find(kOpenAiScalars[0]) ? Dialect::kOpenAi : Dialect::kOpenClip;
}

std::string_view to_string(Dialect dialect) {
  constexpr std::array<std::string_view, 4> kNames = {"tagclip", "OpenAI", "open_clip",
                                                      "Hugging Face"};
  return kNames[static_cast<size_t>(dialect)];
}

}  // namespace tagclip
