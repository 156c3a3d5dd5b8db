// The operations of pickle protocols 2 to 5, one line each in the table below.
#include <fmt/format.h>

#include <array>
#include <bit>

#include "base/text.h"
#include "weights/torch/pickle_calls.h"
#include "weights/torch/pickle_machine.h"

namespace tagclip {
namespace {

using Machine = PickleMachine;

constexpr size_t kMaxNameLength = 1024;  // of a class or function

template <std::unsigned_integral T>
T read(Machine& m) {
  return m.input().take_little_endian<T>();
}

// ---- numbers and text

// Two's complement, little-endian, of any length.
std::string hexadecimal(std::string_view number) {
  const bool negative = (number.back() & 0x80) != 0;
  std::string digits;
  unsigned carry = 1;  // -x is ~x + 1
  for (const char c : number) {
    unsigned byte = static_cast<uint8_t>(c);
    if (negative) {
      byte = (byte ^ 0xFF) + carry;
      carry = byte >> 8;
      byte &= 0xFF;
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    digits += kDigits[byte & 15];
    digits += kDigits[byte >> 4];
  }
  while (digits.back() == '0') digits.pop_back();
  return (negative ? "-0x" : "0x") + std::string(digits.rbegin(), digits.rend());
}

void push_long(Machine& m, uint64_t length) {
  std::string_view number = m.input().take_text(length);
  if (number.size() > sizeof(int64_t)) {
    // Bytes that only repeat the sign say nothing.
    const char sign = (number.back() & 0x80) != 0 ? '\xFF' : '\0';
    while (number.size() > sizeof(int64_t) && number.back() == sign &&
           ((number[number.size() - 2] ^ sign) & 0x80) == 0) {
      number.remove_suffix(1);
    }
    if (number.size() > sizeof(int64_t)) return m.push_new(hexadecimal(number));
  }
  uint64_t value = !number.empty() && (number.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
  for (size_t i = number.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(number[i]);
  m.push_new(static_cast<int64_t>(value));
}

void push_float(Machine& m) {  // big-endian, unlike all other numbers
  uint64_t bits = 0;
  for (const std::byte byte : m.input().take(8)) bits = bits << 8 | std::to_integer<uint8_t>(byte);
  m.push_new(std::bit_cast<double>(bits));
}

void push_text(Machine& m, uint64_t length) {
  const std::string_view text = m.input().take_text(length);
  if (!is_utf8(text)) throw m.broken("text that is not UTF-8");
  m.push_new(std::string(text));
}

void push_bytes(Machine& m, uint64_t length) {
  m.push_new(PickleBytes{std::string(m.input().take_text(length))});
}

// What Python 2 called a string is text or bytes.
void push_old_string(Machine& m, uint64_t length) {
  std::string text(m.input().take_text(length));
  if (is_utf8(text)) return m.push_new(std::move(text));
  m.push_new(PickleBytes{std::move(text)});
}

// ---- containers

void push_tuple(Machine& m, size_t size) {
  PickleItems items(size);
  while (size-- > 0) items[size] = &m.pop();
  m.push_new(PickleTuple{std::move(items)});
}

void append(Machine& m) {
  const PickleValue& value = m.pop();
  m.top_as<PickleList>("a list").items.push_back(&value);
}

void append_many(Machine& m) {
  const PickleItems values = m.pop_to_mark();
  PickleItems& items = m.top_as<PickleList>("a list").items;
  items.insert(items.end(), values.begin(), values.end());
}

void add_entries(Machine& m, PickleDict& dict, const PickleItems& items) {
  if (items.size() % 2 != 0) throw m.broken("a dictionary's key without a value");
  for (size_t i = 0; i < items.size(); i += 2) m.add_entry(dict, *items[i], *items[i + 1]);
}

void set_item(Machine& m) {
  const PickleValue& value = m.pop();
  const PickleValue& key = m.pop();
  m.add_entry(m.top_as<PickleDict>("a dictionary"), key, value);
}

void set_items(Machine& m) {
  const PickleItems items = m.pop_to_mark();
  add_entries(m, m.top_as<PickleDict>("a dictionary"), items);
}

void push_dict(Machine& m) {
  PickleDict dict;
  add_entries(m, dict, m.pop_to_mark());
  m.push_new(std::move(dict));
}

// ---- names, calls, objects

void look_up(Machine& m, std::string_view module, std::string_view attribute) {
  if (module.size() + attribute.size() > kMaxNameLength) {
    throw m.broken(fmt::format("a name of {} bytes", module.size() + attribute.size()));
  }
  const std::string name = fmt::format("{}.{}", module, attribute);
  m.spend(name.size());
  const bool script = m.dialect() == PickleDialect::kTorchScript;
  if (script && is_script_class(name)) return m.push_script_class(name);

  const PickleGlobal* global = find_pickle_global(name);
  if (global == nullptr || (global->callable == PickleCallable::kScriptTyped && !script)) {
    throw m.refused(name);
  }
  if (global->callable == PickleCallable::kElementType) return m.push_new(name);
  m.push_new(global);
}

void look_up_line(Machine& m) {
  const std::string_view module = m.input().take_line();
  look_up(m, module, m.input().take_line());
}

void look_up_stack(Machine& m) {
  const PickleValue& attribute = m.pop();
  const PickleValue& module = m.pop();
  if (attribute.text() == nullptr) throw m.unexpected("a name", attribute);
  if (module.text() == nullptr) throw m.unexpected("a module's name", module);
  look_up(m, *module.text(), *attribute.text());
}

const PickleItems& pop_arguments(Machine& m) {
  const PickleValue& arguments = m.pop();
  const PickleTuple* tuple = std::get_if<PickleTuple>(&arguments.data);
  if (tuple == nullptr) throw m.unexpected("a tuple of arguments", arguments);
  return tuple->items;
}

const PickleGlobal& pop_global(Machine& m) {
  const PickleValue& value = m.pop();
  const auto* global = std::get_if<const PickleGlobal*>(&value.data);
  if (global == nullptr) throw m.unexpected("a class or function", value);
  return **global;
}

void reduce(Machine& m) {
  const PickleItems& arguments = pop_arguments(m);
  m.push(call_pickle_global(m, pop_global(m), arguments));
}

void new_object(Machine& m) {
  const PickleItems& arguments = pop_arguments(m);
  m.push(new_pickle_object(m, pop_global(m), arguments));
}

void build(Machine& m) {
  const PickleValue& state = m.pop();
  // The attributes of an OrderedDict, such as _metadata: nothing reads them.
  if (std::holds_alternative<PickleDict>(m.top().data)) return;
  set_pickle_state(m, *m.top_as<std::unique_ptr<PickleObject>>("an object"), state);
}

void frame(Machine& m) {
  // Frames help a reader that reads ahead. The bytes within are read as all others are.
  m.input().take(8);
}

struct Opcode {
  uint8_t code;
  std::string_view name;
  void (*run)(Machine&);  // nullptr: refused
};

constexpr uint8_t kStop = '.';

constexpr auto kOpcodes = std::to_array<Opcode>({
    {0x80, "PROTO", [](Machine& m) { m.input().take(1); }},
    {0x95, "FRAME", frame},

    {'N', "NONE", [](Machine& m) { m.push_new(std::monostate{}); }},
    {0x88, "NEWTRUE", [](Machine& m) { m.push_new(true); }},
    {0x89, "NEWFALSE", [](Machine& m) { m.push_new(false); }},
    {'J', "BININT",
     [](Machine& m) { m.push_new(int64_t{static_cast<int32_t>(read<uint32_t>(m))}); }},
    {'K', "BININT1", [](Machine& m) { m.push_new(int64_t{read<uint8_t>(m)}); }},
    {'M', "BININT2", [](Machine& m) { m.push_new(int64_t{read<uint16_t>(m)}); }},
    {0x8A, "LONG1", [](Machine& m) { push_long(m, read<uint8_t>(m)); }},
    {0x8B, "LONG4", [](Machine& m) { push_long(m, read<uint32_t>(m)); }},
    {'G', "BINFLOAT", push_float},
    {'U', "SHORT_BINSTRING", [](Machine& m) { push_old_string(m, read<uint8_t>(m)); }},
    {'T', "BINSTRING", [](Machine& m) { push_old_string(m, read<uint32_t>(m)); }},
    {0x8C, "SHORT_BINUNICODE", [](Machine& m) { push_text(m, read<uint8_t>(m)); }},
    {'X', "BINUNICODE", [](Machine& m) { push_text(m, read<uint32_t>(m)); }},
    {0x8D, "BINUNICODE8", [](Machine& m) { push_text(m, read<uint64_t>(m)); }},
    {'C', "SHORT_BINBYTES", [](Machine& m) { push_bytes(m, read<uint8_t>(m)); }},
    {'B', "BINBYTES", [](Machine& m) { push_bytes(m, read<uint32_t>(m)); }},
    {0x8E, "BINBYTES8", [](Machine& m) { push_bytes(m, read<uint64_t>(m)); }},
    {0x96, "BYTEARRAY8", [](Machine& m) { push_bytes(m, read<uint64_t>(m)); }},

    {')', "EMPTY_TUPLE", [](Machine& m) { push_tuple(m, 0); }},
    {0x85, "TUPLE1", [](Machine& m) { push_tuple(m, 1); }},
    {0x86, "TUPLE2", [](Machine& m) { push_tuple(m, 2); }},
    {0x87, "TUPLE3", [](Machine& m) { push_tuple(m, 3); }},
    {'t', "TUPLE", [](Machine& m) { m.push_new(PickleTuple{m.pop_to_mark()}); }},
    {']', "EMPTY_LIST", [](Machine& m) { m.push_new(PickleList{}); }},
    {'l', "LIST", [](Machine& m) { m.push_new(PickleList{m.pop_to_mark()}); }},
    {'a', "APPEND", append},
    {'e', "APPENDS", append_many},
    {'}', "EMPTY_DICT", [](Machine& m) { m.push_new(PickleDict{}); }},
    {'d', "DICT", push_dict},
    {'s', "SETITEM", set_item},
    {'u', "SETITEMS", set_items},

    {'(', "MARK", [](Machine& m) { m.mark(); }},
    {'0', "POP", [](Machine& m) { m.pop(); }},
    {'1', "POP_MARK", [](Machine& m) { m.pop_to_mark(); }},
    {'2', "DUP", [](Machine& m) { m.push(m.top()); }},
    {'q', "BINPUT", [](Machine& m) { m.remember(read<uint8_t>(m)); }},
    {'r', "LONG_BINPUT", [](Machine& m) { m.remember(read<uint32_t>(m)); }},
    {0x94, "MEMOIZE", [](Machine& m) { m.remember_next(); }},
    {'h', "BINGET", [](Machine& m) { m.push(m.recall(read<uint8_t>(m))); }},
    {'j', "LONG_BINGET", [](Machine& m) { m.push(m.recall(read<uint32_t>(m))); }},

    {'c', "GLOBAL", look_up_line},
    {0x93, "STACK_GLOBAL", look_up_stack},
    {'R', "REDUCE", reduce},
    {0x81, "NEWOBJ", new_object},
    {'b', "BUILD", build},
    {'Q', "BINPERSID", [](Machine& m) { m.push(make_pickle_storage(m, m.pop())); }},

    {'P', "PERSID", nullptr},
    {'i', "INST", nullptr},
    {'o', "OBJ", nullptr},
    {0x92, "NEWOBJ_EX", nullptr},
    {0x82, "EXT1", nullptr},
    {0x83, "EXT2", nullptr},
    {0x84, "EXT4", nullptr},
    {0x8F, "EMPTY_SET", nullptr},
    {0x90, "ADDITEMS", nullptr},
    {0x91, "FROZENSET", nullptr},
    {0x97, "NEXT_BUFFER", nullptr},
    {0x98, "READONLY_BUFFER", nullptr},
    {'I', "INT", nullptr},
    {'L', "LONG", nullptr},
    {'F', "FLOAT", nullptr},
    {'S', "STRING", nullptr},
    {'V', "UNICODE", nullptr},
    {'p', "PUT", nullptr},
    {'g', "GET", nullptr},
});

constexpr auto kOpcodeOf = [] {
  std::array<const Opcode*, 256> table{};
  for (const Opcode& opcode : kOpcodes) table[opcode.code] = &opcode;
  return table;
}();

}  // namespace

bool run_pickle_operation(PickleMachine& machine) {
  const auto code = read<uint8_t>(machine);
  if (code == kStop) return false;
  const Opcode* opcode = kOpcodeOf[code];
  if (opcode == nullptr) throw machine.broken(fmt::format("{:#04x} is no operation", code));
  if (opcode->run == nullptr) {
    throw machine.broken(
        fmt::format("the operation {} has no place among plain tensors", opcode->name));
  }
  opcode->run(machine);
  return true;
}

}  // namespace tagclip
