#include "io/utf8.h"

#include <cstddef>
#include <cstdint>

namespace tagclip {
namespace {

// The length that a first byte announces, 0 when none may begin so.
size_t sequence_length(uint8_t first) {
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  return first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

// The second byte rules out what is too long, a surrogate, or above U+10FFFF.
bool may_follow(uint8_t first, uint8_t second) {
  const uint8_t least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const uint8_t most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  return least <= second && second <= most;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(bytes[at]); };
  for (size_t at = 0; at < bytes.size();) {
    const size_t length = sequence_length(byte(at));
    if (length == 0 || bytes.size() - at < length) return false;
    if (length > 1 && !may_follow(byte(at), byte(at + 1))) return false;
    for (size_t i = 2; i < length; ++i) {
      if ((byte(at + i) & 0xC0) != 0x80) return false;
    }
    at += length;
  }
  return true;
}

}  // namespace tagclip
