#include "text/utf8.h"

#include <fmt/format.h>
#include <unicode/utf8.h>

#include "base/error.h"

namespace tagclip {
namespace {

// Like next_code_point, but negative at a malformed sequence.
UChar32 decode_one(std::string_view text, size_t& position) {
  UChar32 code_point;
  U8_NEXT(reinterpret_cast<const uint8_t*>(text.data()), position, text.size(), code_point);
  return code_point;
}

}  // namespace

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  for (size_t position = 0; position < text.size();) {
    const size_t start = position;
    if (decode_one(text, position) < 0) return start;
  }
  return std::nullopt;
}

std::u32string decode_utf8(std::string_view text) {
  std::u32string code_points;
  code_points.reserve(text.size());
  for (size_t position = 0; position < text.size();) {
    const size_t start = position;
    const UChar32 code_point = decode_one(text, position);
    if (code_point < 0) {
      throw bad_input(fmt::format("text is not valid UTF-8: byte {} is 0x{:02x}", start,
                                  static_cast<uint8_t>(text[start])),
                      "give the text in UTF-8");
    }
    code_points.push_back(code_point);
  }
  return code_points;
}

void append_utf8(char32_t code_point, std::string& text) {
  char bytes[U8_MAX_LENGTH];
  size_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, code_point);
  text.append(bytes, size);
}

std::string encode_utf8(std::u32string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (char32_t code_point : text) append_utf8(code_point, bytes);
  return bytes;
}

char32_t next_code_point(std::string_view text, size_t& position) {
  UChar32 code_point;
  U8_NEXT_UNSAFE(text.data(), position, code_point);
  return code_point;
}

}  // namespace tagclip
