#pragma once

#include "clip/clip.h"
#include "clip/weights.h"

namespace tagclip {

// Hugging Face's CLIPModel: other names, projections transposed, queries, keys and values apart.

// OpenAI's names to theirs and back; lossless. Names that have no counterpart stay as they are.
// Throws Error(kBadInput) naming the tensor where one of queries, keys and values is missing or
// misshapen.
StateDict from_hugging_face(const StateDict& state);
StateDict to_hugging_face(const StateDict& state);

// The config.json and preprocessor_config.json that transformers reads beside them.
std::string hugging_face_config(const ClipConfig& config);
std::string hugging_face_preprocessor(const ClipConfig& config);

}  // namespace tagclip
