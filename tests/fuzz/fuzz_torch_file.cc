// Any bytes as a file of PyTorch: refused, or with tensors whose data can be read.
#include "base/error.h"
#include "weights/torch/torch_file.h"
#include "weights/weights_file.h"

namespace tagclip {
namespace {

void check_tensor(const TorchFile& file, const TensorView& tensor) {
  TAGCLIP_CHECK(file.find(tensor.name) == &tensor, "a tensor is not found by its name");
  const auto size = static_cast<uint64_t>(tensor.numel()) * size_of(tensor.dtype);
  TAGCLIP_CHECK(tensor.data.size() == size, "data do not fit the shape");
  // The sanitizer sees to it that every byte may be read.
  volatile std::byte seen{};
  for (const std::byte byte : tensor.data) seen = byte;
  static_cast<void>(seen);
}

void check_torch_file(std::span<const std::byte> bytes) try {
  const TorchFile file = TorchFile::parse(bytes, "fuzzed");
  for (const TensorView& tensor : file.tensors()) check_tensor(file, tensor);
  TAGCLIP_CHECK(WeightsFile::parse(bytes, "fuzzed").tensors().size() == file.tensors().size(),
                "as weights it holds other tensors");
} catch (const Error&) {  // refusing is fine
}

}  // namespace
}  // namespace tagclip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tagclip::check_torch_file(std::as_bytes(std::span(data, size)));
  return 0;
}
