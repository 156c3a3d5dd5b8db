#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "io/byte_cursor.h"
#include "weights/torch/pickle.h"
#include "weights/torch/pickle_globals.h"

namespace tagclip {

// Holds everything a pickle made. References into it stay valid as it grows, and it is freed
// without following them, however deeply values are nested.
struct PickleArena {
  std::deque<PickleValue> values;
  std::deque<PickleGlobal> script_classes;
};

// Runs a pickle, which is a program for this stack machine. Its operations (the table in
// pickle_machine.cc) are made of the functions here, which check the stack and count the work.
class PickleMachine {
 public:
  // `bytes` and `name` must outlive the machine.
  PickleMachine(std::span<const std::byte> bytes, const std::string& name, PickleDialect dialect)
      : input_(bytes, name + ": the pickle"), name_(name), dialect_(dialect) {}

  // Runs to the end of the pickle.
  Pickle run();

  ByteCursor& input() { return input_; }
  PickleDialect dialect() const { return dialect_; }

  template <typename T>
  const PickleValue& make(T data) {
    return arena_->values.emplace_back(PickleValue{std::move(data)});
  }
  template <typename T>
  void push_new(T data) {
    push(make(std::move(data)));
  }
  void push(const PickleValue& value) { stack_.push_back(&value); }
  const PickleValue& top() const;
  const PickleValue& pop();

  void mark() { marks_.push_back(stack_.size()); }
  // The values above the last mark, which goes too.
  PickleItems pop_to_mark();

  // The container on top of the stack, to be filled.
  template <typename T>
  T& top_as(std::string_view expected) {
    T* container = std::get_if<T>(&writable(top()).data);
    if (container == nullptr) throw unexpected(expected, top());
    return *container;
  }

  void add_entry(PickleDict& dict, const PickleValue& key, const PickleValue& value);

  void remember(uint64_t index);  // the top of the stack, under this index of the memo
  void remember_next();
  const PickleValue& recall(uint64_t index) const;

  void push_script_class(std::string name);
  void add_storage(const PickleStorage& storage);

  // Counts a step that copies this many bytes made before, and ends a pickle that takes too many.
  void spend(size_t copied_bytes);

  Error broken(const std::string& what) const;
  // The error for a value that is sound, but not known here.
  Error unsupported(const std::string& what) const;
  Error unexpected(std::string_view expected, const PickleValue& found) const;
  // The error for what only a program could want.
  Error refused(const std::string& global) const;

 private:
  // All values are made by this machine, in an arena it may write.
  static PickleValue& writable(const PickleValue& value) { return const_cast<PickleValue&>(value); }
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  ByteCursor input_;
  const std::string& name_;
  PickleDialect dialect_;
  std::shared_ptr<PickleArena> arena_ = std::make_shared<PickleArena>();
  PickleItems stack_;
  std::vector<size_t> marks_;  // heights of the stack
  PickleItems memo_;
  std::map<std::string, PickleStorage> storages_;
  uint64_t steps_ = 0;
};

// Runs the operation that begins at the cursor; false when it ends the pickle.
bool run_pickle_operation(PickleMachine& machine);

}  // namespace tagclip
