#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "weights/torch/pickle.h"
#include "weights/torch/torch_file.h"

namespace tagclip {

// The content of a PyTorch file: values, and the bytes of the storages that their tensors refer to.
struct TorchContent {
  TorchFile::Container container;
  Pickle pickle;
  std::map<std::string, std::span<const std::byte>> storages;  // each of those the pickle names
};

bool is_zip(std::span<const std::byte> bytes);
// True if PyTorch's magic number stands at the start.
bool is_torch_legacy(std::span<const std::byte> bytes);

// Both throw Error(kBadInput); `name` is the file in messages.
TorchContent read_torch_zip(std::span<const std::byte> bytes, const std::string& name);
TorchContent read_torch_legacy(std::span<const std::byte> bytes, const std::string& name);

}  // namespace tagclip
