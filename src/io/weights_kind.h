#pragma once

#include <string>
#include <vector>

namespace tagclip {

// What tensors of these names are, in words for a message: "a TagCLIP segmentation model", "a CLIP
// with OpenAI's names", "a CLIP in Hugging Face's layout", ..., "another model (its first tensor is
// ...)".
std::string describe_weights(const std::vector<std::string>& names);

}  // namespace tagclip
