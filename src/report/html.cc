#include "report/html.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/text.h"
#include "image/webp.h"

namespace tagclip {
namespace {

constexpr size_t kGroupColours = 8;  // that page.cc has

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
  return "data:image/webp;base64," + to_base64(encode_lossy_webp(image, kQuality));
}

std::string css_colour(Colour colour) {
  return fmt::format("rgb({} {} {})", colour[0], colour[1], colour[2]);
}

std::string group_class(size_t group) {
  const char* dash = group / kGroupColours % 2 == 1 ? " dashed" : "";
  return fmt::format("g{}{}", group % kGroupColours, dash);
}

}  // namespace tagclip
