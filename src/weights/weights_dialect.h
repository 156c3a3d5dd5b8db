#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "weights/stored_weights.h"

namespace tagclip {

// Describes tensors by their names, in words for a message: "a TagCLIP segmentation model", "a CLIP
// with OpenAI's names", "a CLIP in Hugging Face's layout", ..., "another model (its first tensor is
// ...)".
std::string describe_weights(const std::vector<std::string>& names);

// True if these are the weights of a segmentation model, under its published names.
bool is_segmentation_model(const StoredWeights& stored);
// True if these are the weights of a CLIP, in any dialect.
bool is_clip(const StoredWeights& stored);

// The project whose names and layout the weights of a CLIP have.
enum class Dialect { kTagclip, kOpenAi, kOpenClip, kHuggingFace };

Dialect dialect_of(const StoredWeights& clip);
std::string_view to_string(Dialect dialect);  // "tagclip", "OpenAI", ...

// The metadata entry with the sizes of our own CLIP files.
inline constexpr const char* kClipSettings = "tagclip.clip";
// Whole numbers that OpenAI stores among the tensors.
inline constexpr const char* kOpenAiScalars[] = {"input_resolution", "context_length",
                                                 "vocab_size"};

}  // namespace tagclip
