// Any bytes as a pickle: refused, or a value that is safe to walk, and tensors within storages.
#include <array>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "weights/torch/pickle.h"
#include "weights/torch/torch_tensors.h"

namespace tagclip {
namespace {

void check_value(const PickleValue& value, const Pickle& pickle, size_t depth) {
  TAGCLIP_CHECK(depth <= kMaxPickleDepth, "a value lies too deep");
  TAGCLIP_CHECK(!value.kind().empty(), "a value of no kind");
  if (value.text() != nullptr) TAGCLIP_CHECK(is_utf8(*value.text()), "text is not UTF-8");
  if (const PickleTensor* tensor = value.tensor()) {
    TAGCLIP_CHECK(pickle.storages.contains(tensor->storage.key), "an unknown storage");
    TAGCLIP_CHECK(tensor->shape.size() == tensor->strides.size(), "shape without strides");
  }
  if (const PickleItems* items = value.items()) {
    for (const PickleValue* item : *items) check_value(*item, pickle, depth + 1);
  } else if (const PickleDict* dict = value.dict()) {
    for (const auto& [key, held] : dict->items) {
      check_value(*key, pickle, depth + 1);
      check_value(*held, pickle, depth + 1);
      if (key->text() != nullptr) {
        TAGCLIP_CHECK(value.find(*key->text()) == held, "a value is not found by its key");
      }
    }
  }
}

// Reads tensors as if every storage of the pickle lay in these bytes.
void check_tensors(Pickle pickle) {
  static const std::array<std::byte, 256> kStorage{};
  TorchContent content{.container = TorchFile::Container::kZip, .pickle = std::move(pickle)};
  for (const auto& [key, storage] : content.pickle.storages) {
    content.storages.emplace(key, kStorage);
  }
  constexpr uint64_t kMaxCopied = 4096;
  uint64_t copied = 0;
  const TorchTensors tensors = collect_torch_tensors(content, kMaxCopied, "fuzzed");
  for (const TensorView& tensor : tensors.views) {
    const auto size = static_cast<uint64_t>(tensor.numel()) * size_of(tensor.dtype);
    TAGCLIP_CHECK(tensor.data.size() == size, "data do not fit the shape");
    if (size == 0) continue;
    const bool in_place = tensor.data.data() >= kStorage.data() &&
                          tensor.data.data() + size <= kStorage.data() + kStorage.size();
    if (!in_place) copied += size;
    for (const std::byte byte : tensor.data) TAGCLIP_CHECK(byte == std::byte{0}, "other data");
  }
  TAGCLIP_CHECK(copied <= kMaxCopied, "too much was copied");
}

void check_pickle(std::span<const std::byte> bytes, PickleDialect dialect) try {
  Pickle pickle = parse_pickle(bytes, "fuzzed", dialect);
  TAGCLIP_CHECK(pickle.size <= bytes.size(), "more was read than there is");
  check_value(*pickle.root, pickle, 0);
  check_tensors(std::move(pickle));
} catch (const Error&) {  // refusing is fine
}

}  // namespace
}  // namespace tagclip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  tagclip::check_pickle(bytes, tagclip::PickleDialect::kPlain);
  tagclip::check_pickle(bytes, tagclip::PickleDialect::kTorchScript);
  return 0;
}
