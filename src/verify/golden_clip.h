#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "clip/clip.h"
#include "clip/weights.h"

namespace tagclip {

// Golden files hold inputs (in.*) and the values that a model must compute from them; `tagclip
// verify` and the tests compare the two. A trace computes such values, under the names the files
// give them.
using NamedTensors = std::map<std::string, at::Tensor>;

// A text tower on its own, weights under w.*; w.token_embedding.rows may name the token ids of the
// embedding's rows where they are a part of the vocabulary. The number of heads is metadata
// "heads". in.tokens [B, context] -> out.embedding, out.embedding_normalized [B, d]. Throws
// Error(kBadInput) naming the tensor that does not fit.
NamedTensors trace_text_tower(const StateDict& weights, const Metadata& metadata,
                              const StateDict& expected);

// Computes from in.tokens [T, context] and in.image_a [B, 3, H, W]: text.embedding and
// text.embedding_normalized [T, d]; clip.ln_pre_out and clip.hidden.N [B, 1 + H'W', D];
// clip.image_embedding and clip.image_embedding_normalized [B, d]; clip.logits_per_image [B, T].
// Throws as above.
NamedTensors trace_clip(const Clip& clip, const StateDict& expected);

// The image `name` of a golden file, float32. Throws Error(kBadInput) unless it is [B, 3, H, W] of
// at least one patch.
at::Tensor read_golden_image(const StateDict& file, const std::string& name, int64_t patch);

}  // namespace tagclip
