#include "cli/safe_text.h"

namespace tagclip {
namespace {

bool is_control(std::string_view text, size_t i) {
  const auto byte = static_cast<unsigned char>(text[i]);
  if (byte == '\n' || byte == '\t') return false;
  if (byte < 0x20 || byte == 0x7F) return true;
  // U+0080 to U+009F steer terminals, too.
  return byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
}

}  // namespace

std::string safe_text(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool control = is_control(text, i);
    if (control && text[i] == '\xC2') ++i;
    result += control ? '?' : text[i];
  }
  return result;
}

}  // namespace tagclip
