#include <array>

#include "weights/torch/pickle.h"

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

}  // namespace tagclip
