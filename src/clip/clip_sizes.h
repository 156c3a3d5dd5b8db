#pragma once

#include <string>

#include "clip/clip.h"
#include "clip/weights.h"

namespace tagclip {

// The sizes of one tower, read off its tensors, whose names start with `prefix` ("visual.", or
// empty for OpenAI's text tower). Head counts leave no trace in tensors: heads are taken to be 64
// wide, as in every published CLIP. Throw Error(kBadInput) naming the first tensor that is missing
// or has other dimensions.
void read_vision_sizes(const StateDict& state, const std::string& prefix, ClipConfig& config);
void read_text_sizes(const StateDict& state, const std::string& prefix, ClipConfig& config);

// The sizes of a CLIP with OpenAI's names. Head counts come from `metadata` ("v_heads", "t_heads")
// where that tells them. Throws Error(kBadInput) as above; whether the sizes fit together is left
// to the caller.
ClipConfig infer_clip_config(const StateDict& state, const Metadata& metadata);

// The whole number stored in a file's metadata under `key`, or `otherwise` where there is none.
// Throws Error(kBadInput) when it is no positive number.
int64_t positive_number(const Metadata& metadata, const std::string& key, int64_t otherwise);

}  // namespace tagclip
