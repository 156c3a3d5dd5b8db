#pragma once

#include <filesystem>
#include <string>

#include "clip/clip.h"
#include "clip/weights.h"
#include "weights/clip_settings.h"
#include "weights/model_sizes.h"
#include "weights/weights_dialect.h"

namespace tagclip {

// --- Reading a CLIP in any dialect ---

// A CLIP under OpenAI's names, in the element types it was stored in.
struct ClipWeights {
  StateDict state;
  ClipConfig config;
  Metadata metadata;
  Dialect dialect = Dialect::kTagclip;
  bool heads_are_assumed = false, activation_is_assumed = false;
  std::string assumption;  // what neither the tensors nor a config state, for the user to know
};

// Reads a CLIP in any dialect. Sizes come from the tensors; heads and activation from our metadata
// or from the config.json or open_clip_config.json beside, which must agree with the tensors, else
// from `head_counts` ("v_heads", "t_heads") or `known`; OpenAI's own files need none. Throws
// Error(kBadInput) as read_clip_settings, and for sizes that do not fit together.
ClipWeights read_clip_weights(const StoredWeights& stored, const Metadata& head_counts = {},
                              const ClipAnswers& known = {});
ClipWeights read_clip_weights(const std::filesystem::path& path);

// Returns its towers as float32 on the CPU. Throws Error(kBadInput) listing the tensors that do not
// fit.
Clip make_clip(const ClipWeights& weights);
Clip load_clip(const std::filesystem::path& path);

// Returns settings that a file of ours stores, JSON as to_json writes it, with every setting under
// its present name.
std::string with_present_names(const std::string& settings);

// --- Writing ---

// The metadata of a CLIP of our own: its sizes, beside what `others` says.
Metadata clip_metadata(const ClipConfig& config, Metadata others = {});

// Writes a CLIP of our own: OpenAI's parameter names, the sizes under "tagclip.clip" in the
// metadata. Appears whole or not at all.
void save_clip(const std::filesystem::path& path, const Clip& clip, StorageType precision,
               Metadata metadata = {});

// The config that open_clip reads beside its weights.
std::string open_clip_config(const ClipConfig& config);

// --- Sizes ---

// The shapes of the state's tensors; `state` must outlive the result.
TensorShapes shapes_of(const StateDict& state);

// Read the sizes of one tower off its tensors, whose names start with `prefix` ("visual.", or
// nothing for OpenAI's text tower). Head counts leave no trace in tensors: heads are taken to be as
// wide as in the published CLIP of that width. Throw Error(kBadInput) naming the first tensor that
// is missing or has other dimensions.
void read_vision_sizes(const StateDict& state, const std::string& prefix, ClipConfig& config);
void read_text_sizes(const StateDict& state, const std::string& prefix, ClipConfig& config);

// Reads the sizes of a CLIP with OpenAI's names. Head counts come from `metadata` ("v_heads",
// "t_heads") where that tells them. Throws Error(kBadInput) as above; whether the sizes fit
// together is left to the caller.
ClipConfig infer_clip_config(const StateDict& state, const Metadata& metadata);

// Returns the whole number stored in a file's metadata under `key`, or `otherwise` where there is
// none. Throws Error(kBadInput) when it is not a positive number.
int64_t positive_number(const Metadata& metadata, const std::string& key, int64_t otherwise);

}  // namespace tagclip
