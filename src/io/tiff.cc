#include "io/tiff.h"

namespace tagclip {
namespace {

constexpr size_t kEntryBytes = 12;

// The types of entries that hold whole numbers, by TIFF 6.0 and its supplement.
enum Type : uint32_t {
  kShort = 3,
  kLong = 4,
  kSignedByte = 6,
  kSignedShort = 8,
  kSignedLong = 9,
  kIfd = 13
};

// Bytes of a number; 0 where the type is none of them.
size_t size_of(uint32_t type) {
  switch (type) {
    case kSignedByte:
      return 1;
    case kShort:
    case kSignedShort:
      return 2;
    case kLong:
    case kSignedLong:
    case kIfd:
      return 4;
    default:
      return 0;
  }
}

int64_t with_sign(uint32_t number, uint32_t type) {
  switch (type) {
    case kSignedByte:
      return static_cast<int8_t>(number);
    case kSignedShort:
      return static_cast<int16_t>(number);
    case kSignedLong:
      return static_cast<int32_t>(number);
    default:
      return number;
  }
}

}  // namespace

TiffDirectory::TiffDirectory(std::span<const std::byte> block) : block_(block) {
  if (block.size() < 4 || block[0] != block[1]) return;
  const char order = static_cast<char>(block[0]);
  if (order != 'I' && order != 'M') return;
  big_endian_ = order == 'M';
  // Some writers store the mark 42 in the other byte order.
  const uint32_t mark = number(2, 2).value_or(0);
  if (mark != 42 && mark != 42 << 8) return;
  const auto directory = number(4, 4);
  if (!directory) return;
  entries_ = number(*directory, 2).value_or(0);
  first_entry_ = size_t{*directory} + 2;
}

std::optional<uint32_t> TiffDirectory::number(size_t at, size_t bytes) const {
  if (at > block_.size() || block_.size() - at < bytes) return std::nullopt;
  uint32_t value = 0;
  for (size_t i = 0; i < bytes; ++i) {
    const size_t next = big_endian_ ? at + i : at + bytes - 1 - i;
    value = value << 8 | std::to_integer<uint32_t>(block_[next]);
  }
  return value;
}

std::optional<size_t> TiffDirectory::entry_of(uint16_t tag) const {
  for (uint32_t i = 0; i < entries_; ++i) {
    const size_t entry = first_entry_ + i * kEntryBytes;
    const auto found = number(entry, 2);
    if (!found) break;
    if (*found == tag) return entry;
  }
  return std::nullopt;
}

std::optional<int64_t> TiffDirectory::integer(uint16_t tag) const {
  constexpr size_t kInline = 4;  // bytes of values that stand in the entry itself
  const auto entry = entry_of(tag);
  if (!entry) return std::nullopt;
  const uint32_t type = number(*entry + 2, 2).value_or(0);
  const uint64_t count = number(*entry + 4, 4).value_or(0);
  const size_t size = size_of(type);
  if (size == 0 || count == 0) return std::nullopt;
  const size_t own = *entry + 8;
  const auto at = count * size <= kInline ? own : number(own, 4);
  if (!at) return std::nullopt;
  const auto value = number(*at, size);
  if (!value) return std::nullopt;
  return with_sign(*value, type);
}

}  // namespace tagclip
