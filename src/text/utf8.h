#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tagclip {

// Offset of the first byte that is not well-formed UTF-8 (surrogates and overlong forms are not).
std::optional<size_t> find_invalid_utf8(std::string_view text);

// Code points of a text. Throws Error(kBadInput) for invalid UTF-8, naming the first bad byte.
std::u32string decode_utf8(std::string_view text);

// Every value must be a Unicode scalar value.
std::string encode_utf8(std::u32string_view text);
void append_utf8(char32_t code_point, std::string& text);

// The code point at `position`, which moves behind it. `text` must be valid UTF-8.
char32_t next_code_point(std::string_view text, size_t& position);

}  // namespace tagclip
