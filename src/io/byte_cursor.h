#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace tagclip {

// Reads bytes of a stranger from first to last. Every read is checked: past the end it throws
// Error(kBadInput) with where it happened and how much was missing.
class ByteCursor {
 public:
  // `bytes` must outlive the cursor; `what` they are begins the message: "a.pt: the pickle".
  ByteCursor(std::span<const std::byte> bytes, std::string what)
      : bytes_(bytes), what_(std::move(what)) {}

  size_t position() const { return position_; }

  std::span<const std::byte> take(uint64_t count);
  std::string_view take_text(uint64_t count);
  // Returns the bytes up to the next line feed, which is read but not part of them.
  std::string_view take_line();

  template <std::unsigned_integral T>
  T take_little_endian() {
    uint64_t value = 0;
    size_t shift = 0;
    for (const std::byte byte : take(sizeof(T))) {
      value |= std::to_integer<uint64_t>(byte) << shift;
      shift += 8;
    }
    return static_cast<T>(value);
  }

 private:
  std::span<const std::byte> bytes_;
  std::string what_;
  size_t position_ = 0;
};

}  // namespace tagclip
