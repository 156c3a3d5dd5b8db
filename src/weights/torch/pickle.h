#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "weights/tensor_view.h"

namespace tagclip {

struct PickleValue;

using PickleItems = std::vector<const PickleValue*>;

struct PickleBytes {
  std::string data;
};

struct PickleList {
  PickleItems items;
};

struct PickleTuple {
  PickleItems items;
};

// Holds a dict or an OrderedDict, in the order of the file. Text keys are unique.
struct PickleDict {
  std::vector<std::pair<const PickleValue*, const PickleValue*>> items;
};

// Holds an instance of a class, as data: nothing of the class is known but its name. Such are
// TorchScript modules ("__torch__.model.CLIP") and "numpy.dtype".
struct PickleObject {
  std::string class_name;
  PickleDict attributes;
};

// Names elements behind tensors, which are kept outside the pickle under a key.
struct PickleStorage {
  std::string key;
  DType dtype = DType::kF32;
  uint64_t numel = 0;
};

// Says where a tensor lies in its storage. Nothing here is checked against the storage's size.
struct PickleTensor {
  PickleStorage storage;
  int64_t offset = 0;  // elements
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // elements; as many as the shape has dimensions
};

// Is a name the pickle looked up, on its way to become a value. A finished tree holds none.
struct PickleGlobal;

// Holds one value of a pickle. Values may be shared; there are no cycles, and no value lies deeper
// than kMaxPickleDepth. All belong to the Pickle they came with and live as long as it.
struct PickleValue {
  std::variant<std::monostate, bool, int64_t, double, std::string, PickleBytes, PickleList,
               PickleTuple, PickleDict, std::unique_ptr<PickleObject>,
               std::unique_ptr<PickleTensor>, std::unique_ptr<PickleStorage>, const PickleGlobal*>
      data;

  // Each is empty or nullptr when the value is of another type.
  bool is_none() const { return std::holds_alternative<std::monostate>(data); }
  std::optional<bool> boolean() const;
  std::optional<int64_t> integer() const;  // one that needs more than 64 bits is text: "0x1950..."
  std::optional<double> number() const;    // of an integer too
  const std::string* text() const;         // valid UTF-8
  const PickleBytes* bytes() const;
  const PickleItems* items() const;  // of a list or a tuple
  const PickleDict* dict() const;    // of a dict; of an object its attributes
  const PickleObject* object() const;
  const PickleTensor* tensor() const;

  // Returns the value under a text key of a dict, or the attribute of an object; nullptr when this
  // is neither or there is no such key. Looks at one key after the other.
  const PickleValue* find(std::string_view key) const;

  std::string_view kind() const;  // "a dictionary", "a tensor", ... for messages
};

inline constexpr size_t kMaxPickleDepth = 100;

// The classes that a pickle may name beside those of tensors and numbers.
enum class PickleDialect {
  kPlain,
  kTorchScript,  // classes of the archive ("__torch__.model.CLIP"), as PickleObject
};

// An unpickled value with all it refers to.
struct Pickle {
  std::shared_ptr<const PickleValue> root;
  std::map<std::string, PickleStorage> storages;  // all that the pickle names, by key
  size_t size = 0;                                // bytes of the pickle; others may follow
};

// Reads the pickle (protocol 2 to 5) at the start of `bytes`. Nothing is imported or run: names
// outside a short list (tensors and their storages, OrderedDict, numpy scalars) are refused when
// they are looked up. Time and memory are bounded by the length of the pickle and by four million
// operations, whatever numbers stand in it. Throws
// Error(kBadInput); `name` is the file in its message.
Pickle parse_pickle(std::span<const std::byte> bytes, const std::string& name,
                    PickleDialect dialect = PickleDialect::kPlain);

// Checks that a value is safe to walk: no cycles, at most kMaxPickleDepth levels, no dictionary
// with the same key twice, nothing but data, and sharing that does not make it much larger than the
// `steps` that built it. Throws Error(kBadInput) naming `file`.
void check_pickle_values(const PickleValue& root, uint64_t steps, const std::string& file);

}  // namespace tagclip
