#include "io/byte_cursor.h"

#include <fmt/format.h>

#include "base/error.h"

namespace tagclip {

std::span<const std::byte> ByteCursor::take(uint64_t count) {
  const size_t left = bytes_.size() - position_;
  if (count > left) {
    throw bad_input(fmt::format("{} is cut off: {} bytes expected at its byte {}, {} are left",
                                what_, count, position_, left),
                    "fetch the file again");
  }
  const auto taken = bytes_.subspan(position_, static_cast<size_t>(count));
  position_ += taken.size();
  return taken;
}

std::string_view ByteCursor::take_text(uint64_t count) {
  const auto taken = take(count);
  return {reinterpret_cast<const char*>(taken.data()), taken.size()};
}

std::string_view ByteCursor::take_line() {
  const auto rest = bytes_.subspan(position_);
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  const size_t length = text.find('\n');
  if (length == std::string_view::npos) {
    throw bad_input(
        fmt::format("{} is cut off: the line at its byte {} does not end", what_, position_),
        "fetch the file again");
  }
  position_ += length + 1;
  return text.substr(0, length);
}

}  // namespace tagclip
