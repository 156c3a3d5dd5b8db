#include "metrics/display_width.h"

#include <algorithm>
#include <cstdint>

namespace tagclip {
namespace {

struct Range {
  char32_t first, last;
};
constexpr Range kCombining[] = {{0x0300, 0x036F}, {0x0591, 0x05BD}, {0x064B, 0x065F},
                                {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF},
                                {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF},
                                {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};
constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},  {0xA960, 0xA97F}, {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},  {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};

template <size_t N>
bool in(const Range (&ranges)[N], char32_t point) {
  return std::ranges::any_of(
      ranges, [point](Range range) { return range.first <= point && point <= range.last; });
}

size_t sequence_length(uint8_t lead) {
  if (lead < 0xC0) return 1;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// Takes one code point off the front; a byte that starts none comes back as itself.
char32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t length = sequence_length(lead);
  char32_t point = length == 1 ? lead : lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    const bool continues = i < text.size() && (static_cast<uint8_t>(text[i]) & 0xC0) == 0x80;
    if (!continues) {
      text.remove_prefix(1);
      return lead;
    }
    point = point << 6 | (static_cast<uint8_t>(text[i]) & 0x3F);
  }
  text.remove_prefix(length);
  return point;
}

}  // namespace

size_t display_width(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const char32_t point = take_code_point(text);
    if (!in(kCombining, point)) width += in(kWide, point) ? 2 : 1;
  }
  return width;
}

}  // namespace tagclip
