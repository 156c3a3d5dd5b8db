#include "weights/torch/pickle_calls.h"

#include <fmt/format.h>

#include "base/text.h"
#include "weights/torch/pickle_numpy.h"

namespace tagclip {
namespace {

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

const PickleValue& rebuild_tensor(PickleMachine& machine, const PickleGlobal& global,
                                  const PickleItems& arguments) {
  const PickleValue& storage = argument(machine, global, arguments, 0);
  const auto* held = std::get_if<std::unique_ptr<PickleStorage>>(&storage.data);
  if (held == nullptr) throw machine.unexpected("a storage", storage);

  auto tensor = std::make_unique<PickleTensor>();
  tensor->storage = **held;
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
      return rebuild_tensor(machine, global, arguments);
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
    case PickleCallable::kDevice:
      return machine.make(device_text(machine, arguments));
    case PickleCallable::kNumpyType:
      return make_numpy_type(machine, arguments);
    case PickleCallable::kNumpyScalar:
      return make_numpy_scalar(machine, arguments);
    case PickleCallable::kEncode:
      return encode_latin1(machine, arguments);
    case PickleCallable::kStorageClass:
    case PickleCallable::kElementType:
    case PickleCallable::kScriptModule:
      break;
  }
  throw machine.broken("a call of " + in_quotes(global.name) + ", which is no function");
}

const PickleValue& new_pickle_object(PickleMachine& machine, const PickleGlobal& global,
                                     const PickleItems& arguments) {
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
  const PickleStorage storage{*key, (*type)->dtype,
                              static_cast<uint64_t>(count_of(machine, *(*parts)[4]))};
  machine.spend(sizeof(PickleStorage) + key->size());
  machine.add_storage(storage);
  return machine.make(std::make_unique<PickleStorage>(storage));
}

}  // namespace tagclip
