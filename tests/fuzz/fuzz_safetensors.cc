// Any bytes as a safetensors file: refused, or with tensors that lie within it.
#include "base/error.h"
#include "weights/safetensors.h"

namespace tagclip {
namespace {

void check_tensor(const SafetensorsFile& file, const TensorView& tensor,
                  std::span<const std::byte> bytes) {
  TAGCLIP_CHECK(file.find(tensor.name) == &tensor, "a tensor is not found by its name");
  const auto size = static_cast<uint64_t>(tensor.numel()) * size_of(tensor.dtype);
  TAGCLIP_CHECK(tensor.data.size() == size, "data do not fit the shape");
  TAGCLIP_CHECK(tensor.data.data() >= bytes.data() &&
                    tensor.data.data() + size <= bytes.data() + bytes.size(),
                "data outside the file");
}

}  // namespace
}  // namespace tagclip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const auto file = tagclip::SafetensorsFile::parse(bytes, "fuzzed");
    for (const auto& tensor : file.tensors()) tagclip::check_tensor(file, tensor, bytes);
  } catch (const tagclip::Error&) {  // refusing is fine
  }
  return 0;
}
