#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "weights/weights_file.h"
#include "weights/wrapped_names.h"

namespace tagclip {

// Weights as somebody stored them, whatever the container: one file, or the shards of a folder.
struct StoredWeights {
  std::string source;                          // what the user named, for messages
  std::vector<std::filesystem::path> folders;  // where a config may lie, the nearest first
  std::vector<WeightsFile> files;              // keep the tensors' memory alive
  Metadata metadata;                           // of a single safetensors file
  std::vector<TensorView> tensors;  // sorted by name, without what checkpoints wrap names in
  WrappedNames wrapping;            // what was taken off the names and left out

  WeightsFile::Container container() const { return files.front().container(); }
  // nullptr when there is no such tensor.
  const TensorView* find(std::string_view name) const;
  bool contains_prefix(std::string_view prefix) const;
  std::vector<std::string> names() const;
  // The file of that name beside the weights, or beside what a link to them leads to.
  std::optional<std::filesystem::path> file_beside(std::string_view name) const;
};

// Opens a file of weights, an index of shards or a model's folder (see find_weight_files; of
// several files in a folder the first that can be used), and takes off what is wrapped around the
// tensors' names (see unwrap_names). Throws Error(kBadInput) as WeightsFile::open, and when shards
// hold a tensor twice.
StoredWeights read_stored_weights(const std::filesystem::path& path);
// The same of one file's bytes, which the caller keeps alive.
StoredWeights parse_stored_weights(std::span<const std::byte> bytes, const std::string& name);

}  // namespace tagclip
