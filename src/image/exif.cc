#include "image/exif.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "image/jpeg.h"
#include "image/png.h"
#include "image/webp.h"
#include "io/tiff.h"

namespace tagclip {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kExifPrefix = "Exif\0\0"sv;
constexpr std::string_view kXmpPrefix = "http://ns.adobe.com/xap/1.0/\0"sv;  // in JPEG

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

// The parts of a file that may tell its orientation, as they lie in it.
struct OrientationBlocks {
  std::string exif;
  std::string xmp;
};

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint32_t big_endian(std::string_view bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

uint32_t little_endian_u32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

void keep_first(std::string& kept, std::string_view found) {
  if (kept.empty()) kept = found;
}

OrientationBlocks blocks_of_jpeg(std::string_view file) {
  constexpr uint32_t kApp1 = 0xE1, kStartOfScan = 0xDA, kFill = 0xFF;
  OrientationBlocks blocks;
  for (size_t at = 2; at + 4 <= file.size() && big_endian(file, at, 1) == 0xFF;) {
    const uint32_t marker = big_endian(file, at + 1, 1);
    if (marker == kFill) {
      ++at;
      continue;
    }
    const size_t size = big_endian(file, at + 2, 2);
    if (marker == kStartOfScan || size < 2 || file.size() - at - 2 < size) break;
    const std::string_view content = file.substr(at + 4, size - 2);
    if (marker == kApp1 && content.starts_with(kExifPrefix)) keep_first(blocks.exif, content);
    if (marker == kApp1 && content.starts_with(kXmpPrefix)) keep_first(blocks.xmp, content);
    at += 2 + size;
  }
  return blocks;
}

OrientationBlocks blocks_of_webp(std::string_view file) {
  constexpr size_t kRiffHeader = 12, kChunkHeader = 8;
  OrientationBlocks blocks;
  for (size_t at = kRiffHeader; at + kChunkHeader <= file.size();) {
    const uint64_t size = little_endian_u32(file, at + 4);
    const std::string_view id = file.substr(at, 4), rest = file.substr(at + kChunkHeader);
    if (size > rest.size()) break;
    if (id == "EXIF") keep_first(blocks.exif, rest.substr(0, size));
    if (id == "XMP ") keep_first(blocks.xmp, rest.substr(0, size));
    at += kChunkHeader + size + size % 2;
  }
  return blocks;
}

// What zlib compressed; nothing where that is broken or longer than a text about a photo may be.
std::string inflated(std::string_view compressed) {
  constexpr uLongf kMost = 1 << 20;
  std::string text(kMost, '\0');
  uLongf length = kMost;
  const int status = uncompress(reinterpret_cast<Bytef*>(text.data()), &length,
                                reinterpret_cast<const Bytef*>(compressed.data()),
                                static_cast<uLong>(compressed.size()));
  text.resize(status == Z_OK ? length : 0);
  return text;
}

// The text of a tEXt, zTXt or iTXt chunk, whose `content` is what follows its keyword.
std::string png_text(std::string_view type, std::string_view content) {
  if (type == "tEXt") return std::string(content);
  if (type == "zTXt") return content.empty() ? std::string() : inflated(content.substr(1));
  // iTXt: compressed or not, the method, the language and the translated keyword come first.
  if (type != "iTXt" || content.size() < 2) return {};
  const bool compressed = content[0] != 0;
  content.remove_prefix(2);
  for (int i = 0; i < 2; ++i) {
    const size_t end = content.find('\0');
    if (end == content.npos) return {};
    content.remove_prefix(end + 1);
  }
  return compressed ? inflated(content) : std::string(content);
}

// ImageMagick stored EXIF as text before PNG had a chunk for it: three lines (an empty one, the
// name, the length), then the bytes as hexadecimal digits.
std::string unhexed_profile(std::string_view text) {
  for (int line = 0; line < 3; ++line) {
    const size_t end = text.find('\n');
    if (end == text.npos) return {};
    text.remove_prefix(end + 1);
  }
  std::string bytes;
  int digits = 0, value = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ') continue;
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return {};
    value = value << 4 | digit;
    if (++digits % 2 == 0) {
      bytes.push_back(static_cast<char>(value));
      value = 0;
    }
  }
  return bytes;
}

OrientationBlocks blocks_of_png(std::string_view file) {
  constexpr size_t kSignature = 8, kHead = 8, kChecksum = 4;
  constexpr std::string_view kProfileKeyword = "Raw profile type exif\0"sv;
  constexpr std::string_view kXmpKeyword = "XML:com.adobe.xmp\0"sv;
  OrientationBlocks blocks;
  // The first of each counts, though it be broken: a file may hold millions of them.
  std::optional<std::string> profile, xmp;
  for (size_t at = kSignature; at + kHead <= file.size();) {
    const size_t size = big_endian(file, at, 4);
    const std::string_view type = file.substr(at + 4, 4), rest = file.substr(at + kHead);
    if (size > rest.size()) break;
    const std::string_view content = rest.substr(0, size);
    if (type == "eXIf") keep_first(blocks.exif, content);
    if (!profile && content.starts_with(kProfileKeyword)) {
      profile = unhexed_profile(png_text(type, content.substr(kProfileKeyword.size())));
    }
    if (!xmp && content.starts_with(kXmpKeyword)) {
      xmp = png_text(type, content.substr(kXmpKeyword.size()));
    }
    at += kHead + size + kChecksum;
  }
  keep_first(blocks.exif, profile.value_or(""));
  blocks.xmp = xmp.value_or("");
  return blocks;
}

// The digit of `tiff:Orientation="6"`, or of the same as an element.
std::optional<Orientation> xmp_orientation(std::string_view xmp) {
  constexpr std::string_view kName = "tiff:Orientation";
  for (size_t at = xmp.find(kName); at != xmp.npos; at = xmp.find(kName, at)) {
    at += kName.size();
    std::string_view rest = xmp.substr(at);
    if (rest.starts_with("=\"") || rest.starts_with("='")) {
      rest.remove_prefix(2);
    } else if (rest.starts_with('>')) {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (rest.empty() || rest[0] < '1' || rest[0] > '8') return std::nullopt;
    return static_cast<Orientation>(rest[0] - '0');
  }
  return std::nullopt;
}

}  // namespace

std::optional<Orientation> exif_orientation(std::span<const std::byte> block) {
  constexpr uint16_t kOrientationTag = 0x0112;
  while (starts_with(block, kExifPrefix)) block = block.subspan(kExifPrefix.size());
  const std::optional<int64_t> value = TiffDirectory(block).integer(kOrientationTag);
  if (!value) return std::nullopt;
  return *value < 1 || *value > 8 ? Orientation::kTopLeft : static_cast<Orientation>(*value);
}

Orientation orientation_in_file(std::span<const std::byte> encoded) {
  const std::string_view file = text_of(encoded);
  OrientationBlocks blocks;
  if (is_jpeg(encoded)) {
    blocks = blocks_of_jpeg(file);
  } else if (is_png(encoded)) {
    blocks = blocks_of_png(file);
  } else if (is_webp(encoded)) {
    blocks = blocks_of_webp(file);
  }
  if (const auto told = exif_orientation(std::as_bytes(std::span(blocks.exif)))) return *told;
  return xmp_orientation(blocks.xmp).value_or(Orientation::kTopLeft);
}

Image upright(Image stored, Orientation orientation) {
  if (orientation == Orientation::kTopLeft) return stored;
  const Flips flips = flips_of(orientation);
  Image image{flips.transpose ? stored.height : stored.width,
              flips.transpose ? stored.width : stored.height,
              std::vector<uint8_t>(stored.pixels.size()), std::move(stored.warning)};
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
