#include "weights/torch/pickle_numpy.h"

#include <algorithm>
#include <bit>

#include "base/text.h"

namespace tagclip {
namespace {

constexpr std::string_view kClassName = "numpy.dtype";

void set_attribute(PickleMachine& machine, PickleObject& object, std::string key,
                   const PickleValue& value) {
  object.attributes.items.emplace_back(&machine.make(std::move(key)), &value);
}

// The text of an attribute; empty where it is missing.
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
  throw machine.broken("a numpy number of type " + in_quotes(type) + " is not supported");
}

// A letter and the number of bytes.
bool is_number_type(std::string_view type) {
  return type.size() == 2 && std::string_view("fiub").find(type[0]) != std::string_view::npos &&
         std::string_view("1248").find(type[1]) != std::string_view::npos;
}

}  // namespace

const PickleValue& make_numpy_type(PickleMachine& machine, const PickleItems& arguments) {
  const std::string* type = arguments.empty() ? nullptr : arguments[0]->text();
  if (type == nullptr || !is_number_type(*type)) {
    throw machine.broken("a numpy type that is no plain number: " +
                         (type != nullptr ? in_quotes(*type) : "not text"));
  }
  auto object = std::make_unique<PickleObject>(PickleObject{std::string(kClassName), {}});
  set_attribute(machine, *object, "type", machine.make(*type));
  return machine.make(std::move(object));
}

bool is_numpy_type(const PickleObject& object) { return object.class_name == kClassName; }

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
  if (text == nullptr || codec == nullptr || *codec != "latin1") {
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

}  // namespace tagclip
