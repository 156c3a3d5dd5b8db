#pragma once

#include <filesystem>
#include <string>

#include "verify/golden_clip.h"
#include "weights/safetensors.h"

namespace tagclip {

// An expected value's name as golden_values has it: gradients are asked for under any published
// parameter name.
std::string golden_name(const std::string& expected_name);

// Computes what the file `expected` expects of the weights, from the inputs in.* of `inputs` (often
// the same file): of a segmentation model, a CLIP with OpenAI's names, or a text tower (w.*), the
// values described at their traces. Expensive ones are computed only where they are expected.
// `architecture` as in load_model; empty: as the metadata `architecture` of `expected` states, or
// the files' names suggest. Throws Error(kBadInput) for weights of
// another kind (saying what they look like) and for inputs that are missing or do not fit.
NamedTensors golden_values(const std::filesystem::path& weights, const SafetensorsFile& expected,
                           const SafetensorsFile& inputs, const std::string& architecture);

}  // namespace tagclip
