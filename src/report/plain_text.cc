#include "report/plain_text.h"

#include "io/utf8.h"

namespace tagclip {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

bool is_control(char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F; }

// U+0080 to U+009F steer terminals, too.
bool is_c1_control(std::string_view text) {
  return text.size() > 1 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0;
}

}  // namespace

std::string one_line(std::string_view text) {
  const bool utf8 = is_utf8(text);
  std::string line;
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_control(text[i])) {
      line += ' ';
    } else if (!utf8 && static_cast<unsigned char>(text[i]) >= 0x80) {
      line += '?';
    } else if (is_c1_control(text.substr(i))) {
      line += ' ';
      ++i;
    } else {
      line += text[i];
    }
  }
  return line;
}

std::string short_name(std::string_view text) {
  constexpr size_t kMaxBytes = 80;
  std::string name = one_line(text);
  if (name.size() <= kMaxBytes) return name;
  size_t end = kMaxBytes;
  while (is_continuation(name[end])) --end;
  return name.substr(0, end) + "…";
}

}  // namespace tagclip
