#include "weights/torch/pickle_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/text.h"
#include "weights/torch/pickle.h"
#include "weights/torch/pickle_calls.h"

namespace tagclip {
namespace {

// Several times what the largest checkpoints take, and seconds at most.
constexpr uint64_t kMaxSteps = uint64_t{1} << 22;
constexpr size_t kBytesPerStep = 16;
constexpr size_t kMaxKeyLength = 1024;  // bytes, of a dictionary

bool is_plain_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
  });
}

}  // namespace

Pickle PickleMachine::run() {
  constexpr uint8_t kProtocol = 0x80;
  const auto first = input_.take_little_endian<uint8_t>();
  const auto protocol = first == kProtocol ? input_.take_little_endian<uint8_t>() : 0;
  if (protocol < 2 || protocol > 5) {
    throw broken("expected protocol 2 to 5, found another or no pickle at all");
  }
  while (run_pickle_operation(*this)) spend(0);

  const PickleValue& root = pop();
  check_pickle_values(root, steps_, name_);
  return {{arena_, &root}, std::move(storages_), input_.position()};
}

const PickleValue& PickleMachine::top() const {
  if (stack_.size() == floor()) throw broken("a value is used that is not on the stack");
  return *stack_.back();
}

const PickleValue& PickleMachine::pop() {
  const PickleValue& value = top();
  stack_.pop_back();
  return value;
}

PickleItems PickleMachine::pop_to_mark() {
  if (marks_.empty()) throw broken("a mark is used that is not on the stack");
  const auto first = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
  PickleItems items(first, stack_.end());
  stack_.erase(first, stack_.end());
  marks_.pop_back();
  return items;
}

void PickleMachine::add_entry(PickleDict& dict, const PickleValue& key, const PickleValue& value) {
  const bool hashable = key.dict() == nullptr && !std::holds_alternative<PickleList>(key.data) &&
                        key.tensor() == nullptr;
  if (!hashable) throw unexpected("a dictionary's key", key);
  if (key.text() != nullptr && key.text()->size() > kMaxKeyLength) {
    throw broken(fmt::format("a dictionary's key of {} bytes", key.text()->size()));
  }
  spend(0);
  dict.items.emplace_back(&key, &value);
}

void PickleMachine::remember(uint64_t index) {
  // Picklers count: an index that runs ahead of them would only fill memory.
  if (index > steps_) throw broken(fmt::format("memo index {} out of order", index));
  if (index >= memo_.size()) memo_.resize(index + 1);
  memo_[index] = &top();
}

void PickleMachine::remember_next() { memo_.push_back(&top()); }

const PickleValue& PickleMachine::recall(uint64_t index) const {
  if (index >= memo_.size() || memo_[index] == nullptr) {
    throw broken(fmt::format("nothing was stored under memo index {}", index));
  }
  return *memo_[index];
}

void PickleMachine::push_script_class(std::string name) {
  arena_->script_classes.push_back({std::move(name), PickleCallable::kScriptModule});
  const PickleGlobal& global = arena_->script_classes.back();
  push_new(&global);
}

void PickleMachine::add_storage(const PickleStorage& storage) {
  const auto [known, added] = storages_.try_emplace(storage.key, storage);
  if (!added && (known->second.dtype != storage.dtype || known->second.numel != storage.numel)) {
    throw broken("storage " + in_quotes(storage.key) + " is described twice, differently");
  }
}

void PickleMachine::spend(size_t copied_bytes) {
  steps_ += 1 + copied_bytes / kBytesPerStep;
  if (steps_ > kMaxSteps) {
    throw broken(fmt::format("it takes more than {} steps, no checkpoint does", kMaxSteps));
  }
}

Error PickleMachine::broken(const std::string& what) const {
  return bad_input(
      fmt::format("{}: broken pickle: {} (at byte {})", name_, what, input_.position()),
      "fetch the file again, or save it again with torch.save");
}

Error PickleMachine::unexpected(std::string_view expected, const PickleValue& found) const {
  return broken(fmt::format("expected {}, found {}", expected, found.kind()));
}

Error PickleMachine::unsupported(const std::string& what) const {
  return bad_input(fmt::format("{}: it holds {}, which is not supported", name_, what),
                   "save the tensors alone: torch.save(model.state_dict(), path)");
}

Error PickleMachine::refused(const std::string& global) const {
  return bad_input(
      fmt::format("{}: the pickle asks for {}, which is not part of plain tensors: refused, "
                  "nothing was run",
                  name_, is_plain_name(global) ? global : in_quotes(global)),
      "where you trust its origin, load it in Python and save the tensors alone: "
      "torch.save(model.state_dict(), path)");
}

namespace {

using Machine = PickleMachine;

constexpr size_t kMaxNameLength = 1024;  // of a class or function

template <std::unsigned_integral T>
T read(Machine& m) {
  return m.input().take_little_endian<T>();
}

// ---- numbers and text

// Writes a number in two's complement, little-endian, of any length as hexadecimal text.
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

// True if this would be UTF-8 if half of a surrogate pair were a character, as Python has it in
// names of files.
bool is_utf8_with_surrogates(std::string text) {
  for (size_t at = 0; at + 2 < text.size(); ++at) {
    if (text[at] == '\xED' && (text[at + 1] & 0xE0) == 0xA0) text[at + 1] = '\x80';
  }
  return is_utf8(text);
}

void push_text(Machine& m, uint64_t length) {
  const std::string_view text = m.input().take_text(length);
  if (is_utf8(text)) return m.push_new(std::string(text));
  if (!is_utf8_with_surrogates(std::string(text))) throw m.broken("text that is not UTF-8");
  m.spend(text.size());
  m.push_new(PickleBytes{std::string(text)});
}

void push_bytes(Machine& m, uint64_t length) {
  m.push_new(PickleBytes{std::string(m.input().take_text(length))});
}

// A string of Python 2 is text or bytes.
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

void push_frozen_set(Machine& m) { m.push_new(PickleTuple{m.pop_to_mark()}); }

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
  if (global->callable == PickleCallable::kName) return m.push_new(name);
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
  // Nothing reads the attributes of an OrderedDict, such as _metadata.
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
    {0x8F, "EMPTY_SET", [](Machine& m) { m.push_new(PickleList{}); }},
    {0x90, "ADDITEMS", append_many},
    {0x91, "FROZENSET", push_frozen_set},
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
