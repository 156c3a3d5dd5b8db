#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "weights/safetensors.h"
#include "weights/torch/torch_file.h"

namespace tagclip {

// A file of weights in any format we read, recognised by its content: its name does not matter.
class WeightsFile {
 public:
  enum class Container { kSafetensors, kTorchZip, kTorchScript, kTorchLegacy };

  // Throws Error(kBadInput) naming the file and what is wrong with it; for a file of another kind
  // also what it looks like.
  static WeightsFile open(const std::filesystem::path& path);
  // Parses bytes the caller keeps alive.
  static WeightsFile parse(std::span<const std::byte> bytes, const std::string& name);

  Container container() const;
  const std::string& name() const;
  // The string map of a safetensors file, empty for others.
  const Metadata& metadata() const;
  // See SafetensorsFile and TorchFile for order and names. The views live as long as the file
  // object or a copy of it.
  const std::vector<TensorView>& tensors() const;
  // nullptr when there is no such tensor.
  const TensorView* find(std::string_view name) const;
  // All that a PyTorch file holds, its tensors in place; nullptr for safetensors.
  const PickleValue* root() const;

 private:
  explicit WeightsFile(SafetensorsFile file) : file_(std::move(file)) {}
  explicit WeightsFile(TorchFile file) : file_(std::move(file)) {}

  std::variant<SafetensorsFile, TorchFile> file_;
};

}  // namespace tagclip
