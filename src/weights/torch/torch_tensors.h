#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "weights/tensor_view.h"
#include "weights/torch/torch_file.h"

namespace tagclip {

struct TorchTensors {
  std::vector<TensorView> views;
  std::shared_ptr<const void> copies;  // keeps those alive that could not lie in the storages
};

// All tensors of the file, see TorchFile::tensors. Copies take at most `max_copied_bytes`. Throws
// Error(kBadInput) when a tensor reaches outside its storage; `name` is the file in messages.
TorchTensors collect_torch_tensors(const TorchContent& content, uint64_t max_copied_bytes,
                                   const std::string& name);

}  // namespace tagclip
