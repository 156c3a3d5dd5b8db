#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tagclip {

// The first directory of a TIFF block, which is a TIFF file, a camera's raw photo or EXIF. Nothing
// beyond the end of the block is read.
class TiffDirectory {
 public:
  // Without entries where the block does not begin with a TIFF header. `block` must outlive it.
  explicit TiffDirectory(std::span<const std::byte> block);

  bool has(uint16_t tag) const { return entry_of(tag).has_value(); }
  // The first number of an entry; nothing where there is no such entry, or it holds no whole
  // numbers.
  std::optional<int64_t> integer(uint16_t tag) const;

 private:
  std::optional<uint32_t> number(size_t at, size_t bytes) const;
  std::optional<size_t> entry_of(uint16_t tag) const;  // its offset

  std::span<const std::byte> block_;
  bool big_endian_ = false;
  size_t first_entry_ = 0;
  uint32_t entries_ = 0;
};

}  // namespace tagclip
