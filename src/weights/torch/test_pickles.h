#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/torch/pickle.h"

// This namespace writes pickles by hand, operation by operation. Tests only.
namespace tagclip::pickles {

inline std::string little_endian(uint64_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

// Returns a whole pickle that gives what `body` leaves on the stack.
inline std::string whole(const std::string& body) { return "\x80\x02" + body + '.'; }

inline std::string text(std::string_view value) {
  return 'X' + little_endian(value.size(), 4) + std::string(value);
}
inline std::string integer(int32_t value) {
  return 'J' + little_endian(static_cast<uint32_t>(value), 4);
}
inline std::string long_integer(int64_t value) {
  return "\x8A\x08" + little_endian(static_cast<uint64_t>(value), 8);
}
inline std::string global(const std::string& module, const std::string& name) {
  return 'c' + module + '\n' + name + '\n';
}
inline std::string tuple(const std::vector<std::string>& items) {
  std::string joined = "(";
  for (const std::string& item : items) joined += item;
  return joined + 't';
}
inline std::string list(const std::vector<std::string>& items) {
  std::string joined = "](";
  for (const std::string& item : items) joined += item;
  return joined + 'e';
}
// Keys and values in turn.
inline std::string dict(const std::vector<std::string>& items) {
  std::string joined = "}(";
  for (const std::string& item : items) joined += item;
  return joined + 'u';
}
inline std::string call(const std::string& function, const std::vector<std::string>& arguments) {
  return function + tuple(arguments) + 'R';
}

inline std::string storage(const std::string& key, int64_t numel,
                           const std::string& type = "FloatStorage") {
  return tuple({text("storage"), global("torch", type), text(key), text("cuda:0"),
                long_integer(numel)}) +
         'Q';
}
inline std::string tensor(const std::string& storage, int64_t offset,
                          const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  const auto counts = [](const std::vector<int64_t>& values) {
    std::vector<std::string> items;
    for (const int64_t value : values) items.push_back(long_integer(value));
    return tuple(items);
  };
  return call(global("torch._utils", "_rebuild_tensor_v2"),
              {storage, long_integer(offset), counts(shape), counts(strides), "\x89",
               call(global("collections", "OrderedDict"), {})});
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline Pickle parse(std::string_view bytes, PickleDialect dialect = PickleDialect::kPlain) {
  return parse_pickle(as_bytes(bytes), "a.pt", dialect);
}

}  // namespace tagclip::pickles
