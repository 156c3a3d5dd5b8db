#include "text/ftfy/html.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "text/ftfy/code_page.h"
#include "text/unicode.h"

namespace tagclip {

std::string_view embedded_html_entities();  // data/html_entities.txt

namespace {

constexpr size_t kLongestName = 32;             // without the semicolon
constexpr size_t kLongestClosedReference = 24;  // between ampersand and semicolon, with the #
constexpr char32_t kLineFeedSymbol = 0x240A;    // how the file of names spells a line feed

using Names = std::unordered_map<std::u32string, std::u32string>;

// The characters that each name stands for; most names end in a semicolon.
Names read_names() {
  Names names;
  std::string_view rest = embedded_html_entities();
  while (!rest.empty()) {
    const size_t space = rest.find(' '), line_end = rest.find('\n');
    TAGCLIP_CHECK(space < line_end && line_end != rest.npos,
                  "the embedded HTML entities are damaged");
    std::u32string characters = decode_utf8(rest.substr(space + 1, line_end - space - 1));
    std::replace(characters.begin(), characters.end(), kLineFeedSymbol, U'\n');
    names.emplace(decode_utf8(rest.substr(0, space)), std::move(characters));
    rest.remove_prefix(line_end + 1);
  }
  return names;
}

const std::u32string* find_name(std::u32string_view name) {
  static const Names names = read_names();
  const auto found = names.find(std::u32string(name));
  return found == names.end() ? nullptr : &found->second;
}

bool is_noncharacter(char32_t c) { return (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE; }

bool is_forbidden(char32_t c) {
  const bool white = c == '\t' || c == '\n' || c == '\f' || c == '\r';
  return (is_control(c) && !white) || is_noncharacter(c);
}

std::u32string character_of_number(char32_t number) {
  const bool surrogate = number >= 0xD800 && number <= 0xDFFF;
  if (number == 0 || surrogate || number > 0x10FFFF) return {kReplacement};
  const bool c1 = number >= 0x80 && number <= 0x9F;
  if (c1) return {windows_1252().decode(static_cast<uint8_t>(number))};
  if (is_forbidden(number)) return {};
  return {number};
}

// A reference found in a text, and how many characters of the text it takes, from its ampersand.
struct Reference {
  std::u32string characters;
  size_t length;
};

int digit_value(char32_t c) {
  if (c >= '0' && c <= '9') return static_cast<int>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<int>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<int>(c - 'A' + 10);
  return 16;
}

// `text` begins with "&#".
std::optional<Reference> match_number(std::u32string_view text) {
  const bool hexadecimal = text.size() > 2 && (text[2] == 'x' || text[2] == 'X');
  const int base = hexadecimal ? 16 : 10;
  const size_t first_digit = hexadecimal ? 3 : 2;
  size_t end = first_digit;
  char32_t number = 0;
  for (; end < text.size() && digit_value(text[end]) < base; ++end) {
    number = std::min<char32_t>(number * base + digit_value(text[end]), 0x110000);
  }
  if (end == first_digit) return std::nullopt;
  if (end < text.size() && text[end] == ';') ++end;
  return Reference{character_of_number(number), end};
}

bool ends_name(char32_t c) {
  return std::u32string_view(U"\t\n\f <&#;").find(c) != std::u32string_view::npos;
}

// `text` begins with "&". The longest name wins, down to two characters.
std::optional<Reference> match_name(std::u32string_view text) {
  size_t end = 1;
  while (end < text.size() && end <= kLongestName && !ends_name(text[end])) ++end;
  if (end > 1 && end < text.size() && text[end] == ';') ++end;
  for (; end > 2; --end) {
    const auto* characters = find_name(text.substr(1, end - 1));
    if (characters != nullptr) return Reference{*characters, end};
  }
  return std::nullopt;
}

std::optional<Reference> match_open(std::u32string_view text) {
  return text.starts_with(U"&#") ? match_number(text) : match_name(text);
}

bool is_ascii_alphanumeric(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::optional<std::u32string> characters_of_closed_name(std::u32string_view name) {
  if (const auto* characters = find_name(name)) return *characters;
  if (to_upper(name) != name) return std::nullopt;
  if (const auto* characters = find_name(to_lower(name))) return to_upper(*characters);
  return std::nullopt;
}

std::optional<Reference> match_closed(std::u32string_view text) {
  size_t end = text.starts_with(U"&#") ? 2 : 1;
  while (end < text.size() && is_ascii_alphanumeric(text[end])) ++end;
  if (end == text.size() || text[end] != ';' || end < 2) return std::nullopt;
  if (end - 1 > kLongestClosedReference) return std::nullopt;
  if (text[1] == '#') {
    auto number = match_number(text);
    return number && number->length == end + 1 ? number : std::nullopt;
  }
  auto characters = characters_of_closed_name(text.substr(1, end));
  if (!characters) return std::nullopt;
  return Reference{std::move(*characters), end + 1};
}

std::u32string replace_references(std::u32string_view text,
                                  std::optional<Reference> (*match)(std::u32string_view)) {
  std::u32string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto reference = text[0] == '&' ? match(text) : std::nullopt;
    out += reference ? reference->characters : std::u32string(1, text[0]);
    text.remove_prefix(reference ? reference->length : 1);
  }
  return out;
}

}  // namespace

std::u32string unescape_html(std::u32string_view text) {
  return replace_references(text, match_open);
}

std::u32string unescape_closed_html(std::u32string_view text) {
  return replace_references(text, match_closed);
}

}  // namespace tagclip
