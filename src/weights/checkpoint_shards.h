#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tagclip {

// Lists a model's only file, or its shards.
using WeightFiles = std::vector<std::filesystem::path>;

// Finds the files of weights that `path` stands for: itself, the shards that an index names, or
// those that a folder in Hugging Face's or open_clip's layout may hold (model.safetensors,
// open_clip_model.safetensors, pytorch_model.bin, open_clip_pytorch_model.bin, or an index of
// shards), each a way to store a model: at least one. Throws Error(kBadInput): no weights in the
// folder (lists the names looked for), nothing of that name, only an adapter, an index that is
// damaged or names a file outside its folder.
std::vector<WeightFiles> find_weight_files(const std::filesystem::path& path);

// The hint for weights that are not there: how to get a checkpoint that `path` may be the name of.
std::string way_to_weights(const std::string& path);

}  // namespace tagclip
