#include "weights/torch/torch_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

// The list of tensors may take this many times the pickle's bytes: a long key above many tensors
// stands in each name, and a tensor may stand in many places.
constexpr uint64_t kMaxGrowth = 16;
constexpr uint64_t kAllowance = 1 << 16;  // for small files

std::string key_text(const PickleValue& key) {
  if (key.text() != nullptr) return *key.text();
  if (const auto number = key.integer()) return std::to_string(*number);
  std::string_view kind = key.kind();
  kind.remove_prefix(kind.find(' ') + 1);  // "a tuple"
  return fmt::format("<{}>", kind);
}

// Returns the number of elements from the storage's first to behind the last one that a tensor
// touches; nothing when that overflows. Only for tensors that have elements.
std::optional<uint64_t> reach(const PickleTensor& tensor) {
  int64_t last = tensor.offset;
  for (size_t d = 0; d < tensor.shape.size(); ++d) {
    int64_t step = 0;
    if (__builtin_mul_overflow(tensor.shape[d] - 1, tensor.strides[d], &step) ||
        __builtin_add_overflow(last, step, &last)) {
      return std::nullopt;
    }
  }
  return static_cast<uint64_t>(last) + 1;
}

bool is_contiguous(const PickleTensor& tensor) {
  int64_t expected = 1;
  for (size_t d = tensor.shape.size(); d-- > 0;) {
    if (tensor.shape[d] == 1) continue;
    if (tensor.strides[d] != expected) return false;
    expected *= tensor.shape[d];
  }
  return true;
}

// Returns the elements in row-major order, one after the other.
std::vector<std::byte> gather(const PickleTensor& tensor, std::span<const std::byte> storage,
                              uint64_t numel) {
  const size_t size = size_of(tensor.storage.dtype);
  std::vector<std::byte> gathered(numel * size);
  std::vector<int64_t> index(tensor.shape.size(), 0);
  auto at = tensor.offset;
  for (uint64_t i = 0; i < numel; ++i) {
    std::memcpy(&gathered[i * size], &storage[static_cast<size_t>(at) * size], size);
    for (size_t d = index.size(); d-- > 0;) {
      at += tensor.strides[d];
      if (++index[d] < tensor.shape[d]) break;
      at -= tensor.strides[d] * tensor.shape[d];
      index[d] = 0;
    }
  }
  return gathered;
}

class Collector {
 public:
  Collector(const TorchContent& content, uint64_t max_copied_bytes, const std::string& name)
      : content_(content),
        copy_budget_(max_copied_bytes),
        list_budget_(content.pickle.size * kMaxGrowth + kAllowance),
        name_(name) {}

  // The tree is neither deep nor much larger than its pickle: parse_pickle saw to that.
  void visit(const PickleValue& value) {
    if (value.tensor() != nullptr) return add(*value.tensor());
    if (const PickleItems* items = value.items()) {
      for (size_t i = 0; i < items->size(); ++i) {
        const PickleValue index{static_cast<int64_t>(i)};
        visit_below(index, *(*items)[i]);
      }
    } else if (const PickleDict* dict = value.dict()) {
      for (const auto& [key, held] : dict->items) visit_below(*key, *held);
    }
  }

  TorchTensors finish() { return {std::move(views_), std::move(copies_)}; }

 private:
  void visit_below(const PickleValue& key, const PickleValue& value) {
    path_.push_back(&key);
    visit(value);
    path_.pop_back();
  }

  void add(const PickleTensor& tensor) {
    TensorView view{path_text(), tensor.storage.dtype, tensor.shape, {}};
    const uint64_t size = sizeof view + view.name.size() + view.shape.size() * sizeof(int64_t);
    if (size > list_budget_) {
      throw bad_input(name_ +
                      ": tensors stand in it so often, or under such long names, that the "
                      "list of them would outgrow the file");
    }
    list_budget_ -= size;
    view.data = data_of(tensor, view.name);
    views_.push_back(std::move(view));
  }

  std::string path_text() const {
    std::string path;
    for (const PickleValue* key : path_) {
      if (!path.empty()) path += '.';
      path += key_text(*key);
    }
    return path;
  }

  std::span<const std::byte> data_of(const PickleTensor& tensor, const std::string& name) {
    const DType dtype = tensor.storage.dtype;
    const std::optional<uint64_t> bytes = checked_bytes(dtype, tensor.shape);
    if (!bytes) throw bad_tensor(name, tensor, "is larger than 2^63 bytes");
    const auto storage = content_.storages.at(tensor.storage.key);
    const uint64_t numel = *bytes / size_of(dtype);
    if (numel == 0) return {};
    const std::optional<uint64_t> end = reach(tensor);
    if (!end || *end > tensor.storage.numel || *end > storage.size() / size_of(dtype)) {
      throw bad_tensor(name, tensor,
                       fmt::format("reaches outside its storage of {} elements in {} bytes",
                                   tensor.storage.numel, storage.size()));
    }
    if (is_contiguous(tensor)) {
      return storage.subspan(static_cast<size_t>(tensor.offset) * size_of(dtype), *bytes);
    }
    if (*bytes > storage.size()) {
      throw bad_tensor(name, tensor, "repeats elements: it is larger than its storage");
    }
    return copy_of(tensor, storage, numel, name);
  }

  std::span<const std::byte> copy_of(const PickleTensor& tensor, std::span<const std::byte> storage,
                                     uint64_t numel, const std::string& name) {
    const uint64_t bytes = numel * size_of(tensor.storage.dtype);
    if (bytes > copy_budget_) {
      throw bad_tensor(name, tensor, "and others like it would take more memory than the file");
    }
    copy_budget_ -= bytes;
    return copies_->emplace_back(gather(tensor, storage, numel));
  }

  Error bad_tensor(const std::string& name, const PickleTensor& tensor,
                   const std::string& what) const {
    return bad_input(
        fmt::format("{}: tensor {} of shape {} and strides {} from element {} {}", name_,
                    in_quotes(name), shape_text(tensor.shape), shape_text(tensor.strides),
                    tensor.offset, what),
        "save it again with tensor.contiguous().clone() in PyTorch, or fetch the file again");
  }

  const TorchContent& content_;
  uint64_t copy_budget_;  // bytes
  uint64_t list_budget_;  // bytes
  const std::string& name_;
  std::vector<const PickleValue*> path_;  // keys from the root to here
  std::vector<TensorView> views_;
  std::shared_ptr<std::deque<std::vector<std::byte>>> copies_ =
      std::make_shared<std::deque<std::vector<std::byte>>>();
};

void check_storages(const TorchContent& content, const std::string& name) {
  for (const auto& [key, storage] : content.pickle.storages) {
    const auto bytes = content.storages.at(key);
    if (storage.numel > bytes.size() / size_of(storage.dtype)) {
      throw bad_input(
          fmt::format("{}: storage {} has {} bytes, too few for {} elements of {}", name,
                      in_quotes(key), bytes.size(), storage.numel, to_string(storage.dtype)),
          "fetch the file again");
    }
  }
}

}  // namespace

TorchTensors collect_torch_tensors(const TorchContent& content, uint64_t max_copied_bytes,
                                   const std::string& name) {
  check_storages(content, name);
  Collector collector(content, max_copied_bytes, name);
  collector.visit(*content.pickle.root);
  return collector.finish();
}

}  // namespace tagclip
