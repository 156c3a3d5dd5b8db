#include "weights/torch/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "weights/torch/pickle_machine.h"

namespace tagclip {
std::optional<bool> PickleValue::boolean() const {
  const bool* value = std::get_if<bool>(&data);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<int64_t> PickleValue::integer() const {
  const int64_t* value = std::get_if<int64_t>(&data);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<double> PickleValue::number() const {
  if (const double* value = std::get_if<double>(&data)) return *value;
  const std::optional<int64_t> whole = integer();
  return whole ? std::optional(static_cast<double>(*whole)) : std::nullopt;
}

const std::string* PickleValue::text() const { return std::get_if<std::string>(&data); }

const PickleBytes* PickleValue::bytes() const { return std::get_if<PickleBytes>(&data); }

const PickleItems* PickleValue::items() const {
  if (const PickleList* list = std::get_if<PickleList>(&data)) return &list->items;
  const PickleTuple* tuple = std::get_if<PickleTuple>(&data);
  return tuple != nullptr ? &tuple->items : nullptr;
}

const PickleDict* PickleValue::dict() const {
  if (const PickleObject* instance = object()) return &instance->attributes;
  return std::get_if<PickleDict>(&data);
}

const PickleObject* PickleValue::object() const {
  const auto* held = std::get_if<std::unique_ptr<PickleObject>>(&data);
  return held != nullptr ? held->get() : nullptr;
}

const PickleTensor* PickleValue::tensor() const {
  const auto* held = std::get_if<std::unique_ptr<PickleTensor>>(&data);
  return held != nullptr ? held->get() : nullptr;
}

const PickleValue* PickleValue::find(std::string_view key) const {
  const PickleDict* entries = dict();
  if (entries == nullptr) return nullptr;
  for (const auto& [name, value] : entries->items) {
    if (const std::string* text = name->text(); text != nullptr && *text == key) return value;
  }
  return nullptr;
}

std::string_view PickleValue::kind() const {
  constexpr auto kKinds = std::to_array<std::string_view>(
      {"None", "a boolean", "an integer", "a float", "text", "bytes", "a list", "a tuple",
       "a dictionary", "an object", "a tensor", "a storage", "a class or function"});
  static_assert(kKinds.size() == std::variant_size_v<decltype(data)>);
  return kKinds[data.index()];
}

namespace {

// The mean number of places at which a value may stand in the tree; real files stay near 1.
constexpr uint64_t kMaxSharing = 4;
constexpr uint64_t kSharingAllowance = 10'000;  // for small files

// Measures a value with all below it, as a tree: what is shared counts each time.
struct Extent {
  size_t height = 0;
  uint64_t values = 1;
};

class GraphCheck {
 public:
  GraphCheck(uint64_t max_values, const std::string& file) : max_values_(max_values), file_(file) {}

  Extent visit(const PickleValue& value, size_t depth) {
    if (depth > kMaxPickleDepth) throw too_deep();
    const PickleItems* items = value.items();
    const PickleDict* dict = value.dict();
    const bool holds_values = items != nullptr ? !items->empty() : dict && !dict->items.empty();
    if (!holds_values) return visit_leaf(value);

    const auto [entry, is_new] = extents_.try_emplace(&value, Extent{.height = kOpen});
    if (!is_new) return visit_again(entry->second, depth);
    Extent& extent = entry->second;  // stays where it is while the map grows
    return extent = items != nullptr ? visit_items(*items, depth) : visit_entries(*dict, depth);
  }

 private:
  static constexpr size_t kOpen = SIZE_MAX;  // the height of a value that is being visited

  Extent visit_items(const PickleItems& items, size_t depth) {
    Extent extent;
    for (const PickleValue* item : items) add(extent, visit(*item, depth + 1));
    return extent;
  }

  Extent visit_entries(const PickleDict& dict, size_t depth) {
    check_keys(dict);
    Extent extent;
    for (const auto& [key, value] : dict.items) {
      add(extent, visit(*key, depth + 1));
      add(extent, visit(*value, depth + 1));
    }
    return extent;
  }

  void add(Extent& extent, const Extent& below) const {
    extent.height = std::max(extent.height, below.height + 1);
    extent.values += below.values;
    if (extent.values > max_values_) {
      throw broken("it repeats the same values without measure");
    }
  }

  Extent visit_leaf(const PickleValue& value) const {
    const bool is_name = std::holds_alternative<const PickleGlobal*>(value.data);
    if (is_name) throw broken(fmt::format("{} stands where data should", value.kind()));
    return {};
  }

  Extent visit_again(const Extent& extent, size_t depth) const {
    if (extent.height == kOpen) throw broken("a list or dictionary that holds itself");
    if (depth + extent.height > kMaxPickleDepth) throw too_deep();
    return extent;
  }

  void check_keys(const PickleDict& dict) const {
    std::vector<std::string_view> texts;
    std::vector<int64_t> numbers;
    for (const auto& [key, value] : dict.items) {
      if (key->text() != nullptr) texts.push_back(*key->text());
      if (const auto number = key->integer()) numbers.push_back(*number);
    }
    std::ranges::sort(texts);
    std::ranges::sort(numbers);
    if (const auto twice = std::ranges::adjacent_find(texts); twice != texts.end()) {
      throw broken("a dictionary holds " + in_quotes(*twice) + " twice");
    }
    if (const auto twice = std::ranges::adjacent_find(numbers); twice != numbers.end()) {
      throw broken(fmt::format("a dictionary holds {} twice", *twice));
    }
  }

  Error broken(const std::string& what) const {
    return bad_input(file_ + ": broken pickle: " + what,
                     "fetch the file again, or save it again with torch.save");
  }
  Error too_deep() const {
    return broken(fmt::format("values are nested deeper than {}", kMaxPickleDepth));
  }

  uint64_t max_values_;
  const std::string& file_;
  std::unordered_map<const PickleValue*, Extent> extents_;  // of containers
};

}  // namespace

void check_pickle_values(const PickleValue& root, uint64_t steps, const std::string& file) {
  GraphCheck(steps * kMaxSharing + kSharingAllowance, file).visit(root, 0);
}

Pickle parse_pickle(std::span<const std::byte> bytes, const std::string& name,
                    PickleDialect dialect) {
  return PickleMachine(bytes, name, dialect).run();
}

}  // namespace tagclip
