#include "image/exif.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

namespace tagclip {
namespace {

// Reads the numbers of a TIFF block in its byte order; nothing beyond its end.
class TiffReader {
 public:
  explicit TiffReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // False when the block does not start with a TIFF header.
  bool read_byte_order() {
    if (bytes_.size() < 4) return false;
    const char first = static_cast<char>(bytes_[0]), second = static_cast<char>(bytes_[1]);
    if (first != second || (first != 'I' && first != 'M')) return false;
    big_endian_ = first == 'M';
    return u16(2) == 42;
  }

  std::optional<uint32_t> u16(size_t at) const { return number(at, 2); }
  std::optional<uint32_t> u32(size_t at) const { return number(at, 4); }

 private:
  std::optional<uint32_t> number(size_t at, size_t count) const {
    if (at > bytes_.size() || bytes_.size() - at < count) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t next = big_endian_ ? at + i : at + count - 1 - i;
      value = value << 8 | std::to_integer<uint32_t>(bytes_[next]);
    }
    return value;
  }

  std::span<const std::byte> bytes_;
  bool big_endian_ = false;
};

// The steps that make the stored image upright, in this order.
struct Flips {
  bool transpose;
  bool flip_horizontal;
  bool flip_vertical;
};

Flips flips_of(Orientation orientation) {
  switch (orientation) {
    case Orientation::kTopLeft:
      return {false, false, false};
    case Orientation::kTopRight:
      return {false, true, false};
    case Orientation::kBottomRight:
      return {false, true, true};
    case Orientation::kBottomLeft:
      return {false, false, true};
    case Orientation::kLeftTop:
      return {true, false, false};
    case Orientation::kRightTop:
      return {true, true, false};
    case Orientation::kRightBottom:
      return {true, true, true};
    case Orientation::kLeftBottom:
      return {true, false, true};
  }
  return {false, false, false};
}

}  // namespace

Orientation exif_orientation(std::span<const std::byte> tiff) {
  constexpr uint32_t kOrientationTag = 0x0112, kShort = 3, kEntryBytes = 12;
  TiffReader reader(tiff);
  if (!reader.read_byte_order()) return Orientation::kTopLeft;
  const size_t directory = reader.u32(4).value_or(0);
  const uint32_t entries = reader.u16(directory).value_or(0);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + i * kEntryBytes;
    if (reader.u16(entry) != kOrientationTag) continue;
    const uint32_t value = reader.u16(entry + 8).value_or(0);
    if (reader.u16(entry + 2) != kShort || value < 1 || value > 8) break;
    return static_cast<Orientation>(value);
  }
  return Orientation::kTopLeft;
}

Image upright(Image stored, Orientation orientation) {
  if (orientation == Orientation::kTopLeft) return stored;
  const Flips flips = flips_of(orientation);
  Image image{flips.transpose ? stored.height : stored.width,
              flips.transpose ? stored.width : stored.height,
              std::vector<uint8_t>(stored.pixels.size())};
  uint8_t* out = image.pixels.data();
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x, out += 3) {
      const int column = flips.flip_horizontal ? image.width - 1 - x : x;
      const int row = flips.flip_vertical ? image.height - 1 - y : y;
      const size_t from = flips.transpose ? static_cast<size_t>(column) * stored.width + row
                                          : static_cast<size_t>(row) * stored.width + column;
      std::memcpy(out, &stored.pixels[from * 3], 3);
    }
  }
  return image;
}

}  // namespace tagclip
