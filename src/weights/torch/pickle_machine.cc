#include "weights/torch/pickle_machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "weights/torch/pickle_graph.h"

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

Pickle parse_pickle(std::span<const std::byte> bytes, const std::string& name,
                    PickleDialect dialect) {
  return PickleMachine(bytes, name, dialect).run();
}

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

Error PickleMachine::refused(const std::string& global) const {
  return bad_input(
      fmt::format("{}: the pickle asks for {}, which is not part of plain tensors: refused, "
                  "nothing was run",
                  name_, is_plain_name(global) ? global : in_quotes(global)),
      "where you trust its origin, load it in Python and save the tensors alone: "
      "torch.save(model.state_dict(), path)");
}

}  // namespace tagclip
