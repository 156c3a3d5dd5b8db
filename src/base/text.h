#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// --- UTF-8: well-formed sequences only, no overlong forms, surrogates or values above U+10FFFF ---

// The code point at `position`, which moves behind it. At a malformed sequence it is kMalformed,
// and `position` moves behind the bytes that can be no part of another sequence (at least one).
inline constexpr char32_t kMalformed = 0xFFFFFFFF;
char32_t next_code_point(std::string_view text, size_t& position);

// The offset of the first byte that is not part of a well-formed sequence.
std::optional<size_t> find_invalid_utf8(std::string_view text);
inline bool is_utf8(std::string_view text) { return !find_invalid_utf8(text); }

// Throws Error(kBadInput) for invalid UTF-8, naming the first bad byte.
std::u32string decode_utf8(std::string_view text);

// Every value must be a Unicode scalar value.
void append_utf8(char32_t code_point, std::string& text);
std::string encode_utf8(std::u32string_view text);

// Returns "UTF-16" or "UTF-32" where a text is one of them, as Windows programs write it: by its
// byte order mark, or by the NUL bytes of its line feeds and Latin letters. Empty where it is not.
std::string_view wide_encoding(std::string_view text);

// Throws Error(kBadInput), naming `source`, for UTF-16 and UTF-32.
void refuse_wide_encoding(std::string_view text, const std::string& source);

// `text` behind the byte order mark of UTF-8, where it begins with one.
std::string_view without_byte_order_mark(std::string_view text);

// --- Text of unknown origin (file names, names in checkpoints), made safe to print ---

// Returns the text in double quotes, as JSON and TOML write a string: quotes, backslashes and
// control characters are escaped, malformed UTF-8 becomes U+FFFD. Longer texts are cut and end in
// "...".
std::string in_quotes(std::string_view text, size_t max_bytes = 100);

// Returns the text on one line, with spaces for control characters and U+FFFD for malformed UTF-8.
// Longer texts are cut and end in an ellipsis.
std::string one_line(std::string_view text, size_t max_bytes = std::string_view::npos);

// Replaces control characters but line feeds and tabs by ?, for a terminal.
std::string terminal_text(std::string_view text);

// The columns a text takes in a terminal: two per wide East Asian character or emoji, none per
// combining mark or control character, one per byte that is not UTF-8.
size_t display_width(std::string_view text);

// The first few of many names, for a message: "a, b and 3 more".
std::string some_of(const std::vector<std::string>& names, size_t shown = 5);

// --- Numbers ---

// "1 photo", "2 photos"
std::string counted(int64_t count, std::string_view noun);
// fixed(1.5, 2) is 1.50; scientific(0.015, 2) is 1.50e-02.
std::string fixed(double value, int digits);
std::string scientific(double value, int digits);
// A fraction in per cent, without the sign: percent(0.125, 1) is 12.5. NaN gives "-".
std::string percent(double fraction, int digits);

// `text` as a number, in C's notation; nothing unless all of it is one that fits.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// --- Lines and words ---

// Removes spaces, tabs, carriage returns, form feeds and vertical tabs from both ends.
std::string_view trim(std::string_view text);

// The lines of a text, trimmed, without a byte order mark. Empty lines stay, except at the end.
std::vector<std::string_view> split_lines(std::string_view text);

// Levenshtein distance in bytes: insertions, deletions and substitutions.
size_t edit_distance(const std::string& a, const std::string& b);

// The candidate a mistyped `word` most likely meant: the nearest one within a third of the word's
// length (at least 2 edits); nothing when none is that near.
std::optional<std::string> nearest(const std::string& word,
                                   const std::vector<std::string>& candidates);

// A hint for a mistyped word: "did you mean NAME?", or `otherwise` where nothing is near.
std::string did_you_mean(const std::optional<std::string>& meant, std::string otherwise = {});
std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates,
                         std::string otherwise = {});

}  // namespace tagclip
