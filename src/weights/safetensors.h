#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/tensor_view.h"

namespace tagclip {

using Metadata = std::map<std::string, std::string>;

// Maps a safetensors file into memory. Opening checks the whole header: length at most
// 100,000,000 bytes, UTF-8 JSON object without duplicate keys, string-only metadata, known element
// types, offsets equal to shape x element size (checked multiplication), no overlap, no hole, the
// whole file covered. Throws Error(kBadInput) naming the file and what is wrong. The views live as
// long as the file object or a copy of it.
class SafetensorsFile {
 public:
  static SafetensorsFile open(const std::filesystem::path& path);
  // Parses bytes the caller keeps alive.
  static SafetensorsFile parse(std::span<const std::byte> bytes, const std::string& name);

  const std::string& name() const { return name_; }
  const Metadata& metadata() const { return metadata_; }
  // Returns the tensors in the order of their data in the file.
  const std::vector<TensorView>& tensors() const { return tensors_; }
  // Returns nullptr when there is no such tensor.
  const TensorView* find(std::string_view name) const;

 private:
  std::string name_;
  std::shared_ptr<const void> mapping_;  // keeps the views alive
  Metadata metadata_;
  std::vector<TensorView> tensors_;
  std::vector<size_t> by_name_;  // indices into tensors_, sorted by name
};

// Writes a safetensors file; it appears whole or not at all. Tensors of larger elements come first,
// so that all are aligned, otherwise they keep their order. Names must be unique, data as long as
// shape x element size says (else InternalError). Throws Error(kBadInput) where a name or metadata
// is not UTF-8, Error(kFailure) when the file cannot be written.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorView>& tensors,
                       const Metadata& metadata);

}  // namespace tagclip
