#include "weights/torch/pickle_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/text.h"

namespace tagclip {
namespace {

constexpr std::string_view kNumpyType = "numpy.dtype";

void set_attribute(PickleMachine& machine, PickleObject& object, std::string key,
                   const PickleValue& value) {
  object.attributes.items.emplace_back(&machine.make(std::move(key)), &value);
}

// Returns the text of an attribute; empty where it is missing.
std::string_view attribute(const PickleValue& type, std::string_view key) {
  const PickleValue* value = type.find(key);
  return value != nullptr && value->text() != nullptr ? std::string_view(*value->text()) : "";
}

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

template <typename T>
const PickleValue& make_integer(PickleMachine& machine, uint64_t bits) {
  const auto value = static_cast<T>(bits);
  if (!std::in_range<int64_t>(value)) throw machine.broken("a numpy number above 2^63");
  return machine.make(static_cast<int64_t>(value));
}

// `bytes` are little-endian and as many as `type` says.
const PickleValue& make_number(PickleMachine& machine, std::string_view type,
                               std::string_view bytes) {
  const uint64_t bits = little_endian(bytes);
  if (type == "f8") return machine.make(std::bit_cast<double>(bits));
  if (type == "f4") {
    return machine.make(double{std::bit_cast<float>(static_cast<uint32_t>(bits))});
  }
  if (type == "b1") return machine.make(bits != 0);
  if (type == "i8") return make_integer<int64_t>(machine, bits);
  if (type == "i4") return make_integer<int32_t>(machine, bits);
  if (type == "i2") return make_integer<int16_t>(machine, bits);
  if (type == "i1") return make_integer<int8_t>(machine, bits);
  if (type[0] == 'u') return make_integer<uint64_t>(machine, bits);
  throw machine.unsupported("a numpy number of type " + in_quotes(type));
}

// Returns true for a letter of fiub and a number of bytes: "f4".
bool is_number_type(std::string_view type) {
  return type.size() == 2 && std::string_view("fiub").find(type[0]) != std::string_view::npos &&
         std::string_view("1248").find(type[1]) != std::string_view::npos;
}

const PickleValue& make_numpy_type(PickleMachine& machine, const PickleItems& arguments) {
  const std::string* type = arguments.empty() ? nullptr : arguments[0]->text();
  if (type == nullptr) throw machine.broken("a numpy type without a name");
  if (!is_number_type(*type)) {
    throw machine.unsupported("a numpy value of type " + in_quotes(*type) + ", no plain number");
  }
  auto object = std::make_unique<PickleObject>(PickleObject{std::string(kNumpyType), {}});
  set_attribute(machine, *object, "type", machine.make(*type));
  return machine.make(std::move(object));
}

bool is_numpy_type(const PickleObject& object) { return object.class_name == kNumpyType; }

void set_numpy_state(PickleMachine& machine, PickleObject& type, const PickleValue& state) {
  const PickleItems* items = state.items();
  const std::string* order = items != nullptr && items->size() >= 2 ? (*items)[1]->text() : nullptr;
  if (order == nullptr || order->size() != 1 || type.attributes.items.size() != 1) {
    throw machine.broken("a numpy type whose state gives no byte order");
  }
  set_attribute(machine, type, "order", *(*items)[1]);
}

const PickleValue& make_numpy_scalar(PickleMachine& machine, const PickleItems& arguments) {
  if (arguments.size() != 2 || arguments[0]->object() == nullptr ||
      !is_numpy_type(*arguments[0]->object())) {
    throw machine.broken("a numpy number without type and bytes");
  }
  const PickleValue& type = *arguments[0];
  const PickleValue& data = *arguments[1];
  // Python 2 wrote the bytes as a string, which may look like text.
  const std::string* held = data.bytes() != nullptr ? &data.bytes()->data : data.text();
  const std::string_view name = attribute(type, "type");
  if (held == nullptr || held->size() != static_cast<size_t>(name[1] - '0')) {
    throw machine.unexpected("the bytes of a numpy number of type " + in_quotes(name), data);
  }
  std::string bytes = *held;
  if (attribute(type, "order") == ">") std::ranges::reverse(bytes);
  return make_number(machine, name, bytes);
}

const PickleValue& encode_latin1(PickleMachine& machine, const PickleItems& arguments) {
  const std::string* text = arguments.size() == 2 ? arguments[0]->text() : nullptr;
  const std::string* codec = arguments.size() == 2 ? arguments[1]->text() : nullptr;
  if (text == nullptr || codec == nullptr || (*codec != "latin1" && *codec != "latin-1")) {
    throw machine.broken("_codecs.encode without text and latin1");
  }
  machine.spend(text->size());
  std::string bytes;
  for (size_t at = 0; at < text->size(); ++at) {
    auto code = static_cast<uint8_t>((*text)[at]);
    if (code >= 0xC4) throw machine.broken("_codecs.encode of text that is not latin1");
    if (code >= 0x80) {  // one of two bytes: U+0080 to U+00FF
      code = static_cast<uint8_t>(code << 6 | (static_cast<uint8_t>((*text)[++at]) & 0x3F));
    }
    bytes += static_cast<char>(code);
  }
  return machine.make(PickleBytes{std::move(bytes)});
}

constexpr size_t kMaxDimensions = 64;
constexpr size_t kMaxStorageKey = 128;  // bytes

const PickleValue& argument(PickleMachine& machine, const PickleGlobal& global,
                            const PickleItems& arguments, size_t index) {
  if (index >= arguments.size()) {
    throw machine.broken(
        fmt::format("{} with {} arguments, too few", global.name, arguments.size()));
  }
  return *arguments[index];
}

int64_t count_of(PickleMachine& machine, const PickleValue& value) {
  const std::optional<int64_t> count = value.integer();
  if (!count) throw machine.unexpected("an integer", value);
  if (*count < 0) throw machine.broken(fmt::format("a tensor's size or place is {}", *count));
  return *count;
}

std::vector<int64_t> counts_of(PickleMachine& machine, const PickleValue& value) {
  const PickleItems* items = value.items();
  if (items == nullptr) throw machine.unexpected("a tuple of integers", value);
  if (items->size() > kMaxDimensions) {
    throw machine.broken(fmt::format("a tensor of {} dimensions", items->size()));
  }
  std::vector<int64_t> counts;
  counts.reserve(items->size());
  for (const PickleValue* item : *items) counts.push_back(count_of(machine, *item));
  return counts;
}

// A tensor whose elements lie otherwise than in rows of a storage: only its name is known.
const PickleValue& other_tensor(PickleMachine& machine, const std::string& what) {
  machine.spend(sizeof(PickleObject) + what.size());
  return machine.make(std::make_unique<PickleObject>(PickleObject{what, {}}));
}

const PickleValue& rebuild_tensor(PickleMachine& machine, const PickleGlobal& global,
                                  const PickleItems& arguments) {
  const PickleValue& storage = argument(machine, global, arguments, 0);
  const auto* held = std::get_if<std::unique_ptr<PickleStorage>>(&storage.data);
  if (held == nullptr) throw machine.unexpected("a storage", storage);

  auto tensor = std::make_unique<PickleTensor>();
  tensor->storage = **held;
  if (global.callable == PickleCallable::kRebuildTypedTensor) {
    const PickleValue& type = argument(machine, global, arguments, 6);
    const PickleGlobal* known = type.text() != nullptr ? find_pickle_global(*type.text()) : nullptr;
    if (known == nullptr || known->callable != PickleCallable::kName) {
      throw machine.unexpected("an element type", type);
    }
    if (!known->dtype) return other_tensor(machine, "a tensor of " + known->name);
    // The storage counts bytes.
    tensor->storage.numel =
        tensor->storage.numel * size_of(tensor->storage.dtype) / size_of(*known->dtype);
    tensor->storage.dtype = *known->dtype;
  }
  tensor->offset = count_of(machine, argument(machine, global, arguments, 1));
  tensor->shape = counts_of(machine, argument(machine, global, arguments, 2));
  tensor->strides = counts_of(machine, argument(machine, global, arguments, 3));
  if (tensor->shape.size() != tensor->strides.size()) {
    throw machine.broken(fmt::format("a tensor of {} dimensions with {} strides",
                                     tensor->shape.size(), tensor->strides.size()));
  }
  machine.spend(sizeof(PickleTensor) + tensor->shape.size() * 2 * sizeof(int64_t));
  return machine.make(std::move(tensor));
}

// OrderedDict(), or as Python 2 writes it OrderedDict([[key, value], ...]).
const PickleValue& ordered_dict(PickleMachine& machine, const PickleItems& arguments) {
  PickleDict dict;
  if (!arguments.empty()) {
    const PickleItems* pairs = arguments[0]->items();
    if (pairs == nullptr) throw machine.unexpected("a list of pairs", *arguments[0]);
    for (const PickleValue* pair : *pairs) {
      const PickleItems* entry = pair->items();
      if (entry == nullptr || entry->size() != 2) throw machine.unexpected("a pair", *pair);
      machine.add_entry(dict, *(*entry)[0], *(*entry)[1]);
    }
  }
  return machine.make(std::move(dict));
}

// A list of the elements of one that is given, or an empty one.
const PickleValue& list_of(PickleMachine& machine, const PickleItems& arguments) {
  PickleList list;
  if (!arguments.empty()) {
    if (arguments[0]->items() == nullptr) throw machine.unexpected("a list", *arguments[0]);
    list.items = *arguments[0]->items();
    machine.spend(list.items.size() * sizeof(PickleItems::value_type));
  }
  return machine.make(std::move(list));
}

const PickleValue& counter(PickleMachine& machine, const PickleItems& arguments) {
  if (arguments.empty()) return machine.make(PickleDict{});
  if (arguments[0]->dict() == nullptr) throw machine.unexpected("a dictionary", *arguments[0]);
  return *arguments[0];
}

// Makes a tuple of complex(1, 2), slice(1, 2, None) or range(1, 2, 3).
const PickleValue& numbers(PickleMachine& machine, const PickleItems& arguments) {
  for (const PickleValue* argument : arguments) {
    if (!argument->number() && !argument->is_none()) {
      throw machine.unexpected("a number", *argument);
    }
  }
  machine.spend(arguments.size() * sizeof(PickleItems::value_type));
  return machine.make(PickleTuple{arguments});
}

// Makes the bytes of bytearray(b"..."), bytearray("...", "latin-1") or bytes().
const PickleValue& make_bytes(PickleMachine& machine, const PickleItems& arguments) {
  if (arguments.empty()) return machine.make(PickleBytes{});
  if (arguments.size() == 2) return encode_latin1(machine, arguments);
  if (arguments[0]->bytes() == nullptr) throw machine.unexpected("bytes", *arguments[0]);
  return *arguments[0];
}

const PickleValue& rebuild_from_type(PickleMachine& machine, const PickleGlobal& global,
                                     const PickleItems& arguments) {
  const PickleValue& function = argument(machine, global, arguments, 0);
  const auto* called = std::get_if<const PickleGlobal*>(&function.data);
  if (called == nullptr || (*called)->callable == PickleCallable::kRebuildFromType) {
    throw machine.unexpected("a function that makes a tensor", function);
  }
  const PickleValue& theirs = argument(machine, global, arguments, 2);
  if (theirs.items() == nullptr) throw machine.unexpected("a tuple of arguments", theirs);
  return call_pickle_global(machine, **called, *theirs.items());
}

std::string device_text(PickleMachine& machine, const PickleItems& arguments) {
  std::string text;
  for (const PickleValue* part : arguments) {
    if (!text.empty()) text += ':';
    if (part->text() != nullptr) {
      text += *part->text();
    } else if (const auto index = part->integer()) {
      text += std::to_string(*index);
    } else {
      throw machine.unexpected("a device's name or index", *part);
    }
    machine.spend(text.size());
  }
  return text;
}

}  // namespace

const PickleValue& call_pickle_global(PickleMachine& machine, const PickleGlobal& global,
                                      const PickleItems& arguments) {
  switch (global.callable) {
    case PickleCallable::kOrderedDict:
      return ordered_dict(machine, arguments);
    case PickleCallable::kRebuildTensor:
    case PickleCallable::kRebuildTypedTensor:
      return rebuild_tensor(machine, global, arguments);
    case PickleCallable::kRebuildOther:
      return other_tensor(machine, global.name);
    case PickleCallable::kRebuildFromType:
      return rebuild_from_type(machine, global, arguments);
    case PickleCallable::kRebuildParameter: {
      const PickleValue& tensor = argument(machine, global, arguments, 0);
      if (tensor.tensor() == nullptr) throw machine.unexpected("a tensor", tensor);
      return tensor;
    }
    case PickleCallable::kSize:
    case PickleCallable::kScriptTyped: {
      const PickleValue& value = argument(machine, global, arguments, 0);
      if (value.items() == nullptr && value.dict() == nullptr) {
        throw machine.unexpected("a list, tuple or dictionary", value);
      }
      return value;
    }
    case PickleCallable::kSet:
    case PickleCallable::kList:
      return list_of(machine, arguments);
    case PickleCallable::kDefaultDict:
      return machine.make(PickleDict{});
    case PickleCallable::kCounter:
      return counter(machine, arguments);
    case PickleCallable::kNumbers:
      return numbers(machine, arguments);
    case PickleCallable::kBytes:
      return make_bytes(machine, arguments);
    case PickleCallable::kLayout: {
      const PickleValue& layout = argument(machine, global, arguments, 0);
      if (layout.text() == nullptr) throw machine.unexpected("a layout's name", layout);
      return layout;
    }
    case PickleCallable::kDevice:
      return machine.make(device_text(machine, arguments));
    case PickleCallable::kNumpyType:
      return make_numpy_type(machine, arguments);
    case PickleCallable::kNumpyScalar:
      return make_numpy_scalar(machine, arguments);
    case PickleCallable::kEncode:
      return encode_latin1(machine, arguments);
    case PickleCallable::kStorageClass:
    case PickleCallable::kName:
    case PickleCallable::kType:
    case PickleCallable::kScriptModule:
      break;
  }
  throw machine.broken("a call of " + in_quotes(global.name) + ", which is no function");
}

const PickleValue& new_pickle_object(PickleMachine& machine, const PickleGlobal& global,
                                     const PickleItems& arguments) {
  if (global.callable == PickleCallable::kRebuildParameter) {
    return call_pickle_global(machine, global, arguments);
  }
  if (global.callable != PickleCallable::kScriptModule || !arguments.empty()) {
    throw machine.broken("an instance of " + in_quotes(global.name) +
                         " is made in a way that torch.save does not");
  }
  machine.spend(sizeof(PickleObject) + global.name.size());
  return machine.make(std::make_unique<PickleObject>(PickleObject{global.name, {}}));
}

void set_pickle_state(PickleMachine& machine, PickleObject& object, const PickleValue& state) {
  if (is_numpy_type(object)) return set_numpy_state(machine, object, state);
  const PickleDict* attributes = std::get_if<PickleDict>(&state.data);
  if (attributes == nullptr) throw machine.unexpected("a dictionary of attributes", state);
  if (!object.attributes.items.empty()) throw machine.broken("an object is built twice");
  machine.spend(attributes->items.size() * sizeof(attributes->items[0]));
  object.attributes = *attributes;
}

const PickleValue& make_pickle_storage(PickleMachine& machine, const PickleValue& id) {
  const PickleItems* parts = id.items();
  if (parts == nullptr || parts->empty()) throw machine.unexpected("a storage's tuple", id);
  const std::string* tag = (*parts)[0]->text();
  if (tag != nullptr && *tag == "module") {
    throw machine.broken("it holds a whole module with its code, not only tensors");
  }
  if (tag == nullptr || *tag != "storage" || parts->size() < 5 || parts->size() > 6) {
    throw machine.broken("a persistent id that describes no storage");
  }
  const auto* type = std::get_if<const PickleGlobal*>(&(*parts)[1]->data);
  if (type == nullptr || (*type)->callable != PickleCallable::kStorageClass) {
    throw machine.unexpected("a storage's class", *(*parts)[1]);
  }
  const std::string* key = (*parts)[2]->text();
  if (key == nullptr || key->size() > kMaxStorageKey) {
    throw machine.unexpected("a storage's key, a short text", *(*parts)[2]);
  }
  if (parts->size() == 6 && !(*parts)[5]->is_none()) {
    throw machine.broken("a storage that is part of another, which PyTorch gave up before 1.0");
  }
  const PickleStorage storage{*key, (*type)->dtype.value(),
                              static_cast<uint64_t>(count_of(machine, *(*parts)[4]))};
  machine.spend(sizeof(PickleStorage) + key->size());
  machine.add_storage(storage);
  return machine.make(std::make_unique<PickleStorage>(storage));
}

}  // namespace tagclip
