#pragma once

#include <string>
#include <string_view>

namespace tagclip {

// These properties and mappings of Unicode do not depend on the locale.

bool is_letter(char32_t c);       // category L
bool is_number(char32_t c);       // category N
bool is_lower(char32_t c);        // category Ll
bool is_control(char32_t c);      // category Cc
bool is_white_space(char32_t c);  // property White_Space

// Lowers case by full mapping: one character may become several, a sigma depends on its context.
std::u32string to_lower(std::u32string_view text);

// Does the same as to_lower for valid UTF-8.
std::string lower_case(std::string_view utf8);

std::u32string to_upper(std::u32string_view text);

// Returns normalization form C. More than 1,000 combining marks in a row are composed piece by
// piece, because sorting them takes time quadratic in their number.
std::u32string compose(std::u32string_view text);

// Returns normalization form KC of one character.
std::u32string compatibility_form(char32_t c);

}  // namespace tagclip
