#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "weights/stored_weights.h"

namespace tagclip {

// Describes a model in words for a message: "a TagCLIP segmentation model", "a CLIP with OpenAI's
// names", "a SigLIP (model_type siglip in config.json)", ..., "another model (its first tensor is
// ...)". A config.json beside weights in Hugging Face's layout has the first word, then the names
// of the tensors.
std::string describe_weights(const StoredWeights& stored);
// Says what to do with weights that cannot be used as they are; empty where that is not known.
std::string advice_for(const StoredWeights& stored);
// The error for weights that are no CLIP: says what they are and what to do.
Error not_a_clip(const StoredWeights& stored);
// The model_type that a config names, in words: "a SigLIP".
std::string describe_model_type(std::string_view model_type);

// True if these are the weights of a segmentation model, under its published names.
bool is_segmentation_model(const StoredWeights& stored);
// True if these are the weights of a CLIP, in any dialect. One of another architecture, such as
// SigLIP, is none; read_clip_settings tells whether all of it can be used (clip_settings.h).
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
