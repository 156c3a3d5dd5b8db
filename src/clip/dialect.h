#pragma once

#include "clip/clip.h"
#include "clip/weights.h"
#include "weights/weights_kind.h"

namespace tagclip {

// A CLIP in OpenAI's names, in the element types it was stored in.
struct ClipWeights {
  StateDict state;
  ClipConfig config;
  Metadata metadata;
  Dialect dialect = Dialect::kTagclip;
  std::string assumption;  // what neither the tensors nor a config said, for the user to know
};

// Reads a CLIP in any dialect. Sizes come from the tensors; heads and activation from our metadata,
// from `head_counts` ("v_heads", "t_heads"), or from the config.json or open_clip_config.json
// beside, which must agree with the tensors; OpenAI's own files need none. Throws Error(kBadInput):
// no CLIP (says what it looks like), another architecture, sizes that do not fit together.
ClipWeights read_clip_weights(const StoredWeights& stored, const Metadata& head_counts = {});
ClipWeights read_clip_weights(const std::filesystem::path& path);

// Its towers as float32 on the CPU. Throws Error(kBadInput) listing the tensors that do not fit.
Clip make_clip(const ClipWeights& weights);
Clip load_clip(const std::filesystem::path& path);

// The config that open_clip reads beside its weights.
std::string open_clip_config(const ClipConfig& config);

}  // namespace tagclip
