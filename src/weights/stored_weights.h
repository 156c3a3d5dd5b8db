#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "weights/weights_file.h"

namespace tagclip {

// Weights as somebody stored them, whatever the container: one file, or the shards of a folder.
struct StoredWeights {
  std::string source;                 // what the user named, for messages
  std::filesystem::path folder;       // where a config may lie beside them
  std::vector<WeightsFile> files;     // keep the tensors' memory alive
  Metadata metadata;                  // of a single safetensors file
  std::vector<TensorView> tensors;    // sorted by name, without what checkpoints wrap names in
  std::vector<std::string> left_out;  // other parts with tensors, such as "optimizer"

  WeightsFile::Container container() const { return files.front().container(); }
  // nullptr when there is no such tensor.
  const TensorView* find(std::string_view name) const;
  bool contains_prefix(std::string_view prefix) const;
  std::vector<std::string> names() const;
};

// Opens a file of weights, an index of shards or a model's folder (see find_weight_files), and
// takes off what trainers wrap around the tensors' names: state_dict., module., ... Throws
// Error(kBadInput) as WeightsFile::open, and when shards hold a tensor twice.
StoredWeights read_stored_weights(const std::filesystem::path& path);
// The same of one file's bytes, which the caller keeps alive.
StoredWeights parse_stored_weights(std::span<const std::byte> bytes, const std::string& name);

}  // namespace tagclip
