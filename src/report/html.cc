#include "report/html.h"

#include <fmt/format.h>

#include <cstdint>
#include <span>

#include "base/text.h"
#include "image/webp.h"

namespace tagclip {
namespace {

constexpr size_t kGroupColours = 8;  // that page.cc has

std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < count ? std::to_integer<uint32_t>(bytes[i + k]) : 0);
    }
    for (size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : one_line(text)) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string data_uri(const Image& image) {
  constexpr float kQuality = 82;
  return "data:image/webp;base64," + base64(encode_lossy_webp(image, kQuality));
}

std::string css_colour(Colour colour) {
  return fmt::format("rgb({} {} {})", colour[0], colour[1], colour[2]);
}

std::string group_class(size_t group) {
  const char* dash = group / kGroupColours % 2 == 1 ? " dashed" : "";
  return fmt::format("g{}{}", group % kGroupColours, dash);
}

}  // namespace tagclip
