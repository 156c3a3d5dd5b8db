#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tagclip {

// The config beside a CLIP's weights. Sizes leave their trace in the tensors, too, and 0
// stands for one the config does not state; heads and activation stand nowhere else.
struct ClipConfigJson {
  int64_t vision_heads = 0, text_heads = 0;
  bool quick_gelu = false;
  bool imagenet_statistics = false;  // photos are normalised with ImageNet's numbers, not CLIP's

  int64_t embedding = 0, resolution = 0, patch = 0, context = 0, vocabulary = 0;
  int64_t vision_width = 0, vision_layers = 0, vision_mlp = 0;
  int64_t text_width = 0, text_layers = 0, text_mlp = 0;
};

// Hugging Face's config.json of a CLIPModel, and open_clip's open_clip_config.json (a bare
// model_cfg is taken, too). `source` names the file. A key is used, or known to change no number
// that is computed here, or refused by name; of Hugging Face's keys those that transformers does
// not know have no effect there and none here. Throw Error(kBadInput): not such a config (NaN is
// named with its place), a value of another type or out of range, a variant of CLIP that computes
// something else (named).
ClipConfigJson parse_hugging_face_config(std::string_view json, const std::string& source);
ClipConfigJson parse_open_clip_config(std::string_view json, const std::string& source);

// True if the preprocessor_config.json beside the first says ImageNet's mean and std rather than
// CLIP's own. Throws Error(kBadInput) for any others.
bool parse_preprocessor_config(std::string_view json, const std::string& source);

}  // namespace tagclip
