#pragma once

#include <filesystem>
#include <vector>

namespace tagclip {

// The files of weights that `path` stands for: itself, the shards that an index names, or what a
// folder in Hugging Face's or open_clip's layout holds (model.safetensors,
// open_clip_model.safetensors, pytorch_model.bin, open_clip_pytorch_model.bin, or an index of
// shards). Throws Error(kBadInput): no weights in the folder (lists the names looked for), an index
// that is damaged or names a file outside its folder.
std::vector<std::filesystem::path> find_weight_files(const std::filesystem::path& path);

}  // namespace tagclip
