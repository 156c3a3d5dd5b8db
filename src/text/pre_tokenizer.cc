#include "text/pre_tokenizer.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>

#include "base/error.h"
#include "base/text.h"
#include "text/ftfy/html.h"
#include "text/ftfy/repair.h"
#include "text/unicode.h"

namespace tagclip {
namespace {

constexpr size_t kMaxTextBytes = size_t{16} << 20;

// str.strip of Python, which counts the four information separators as white space too.
bool is_stripped(char32_t c) { return is_white_space(c) || (c >= 0x1C && c <= 0x1F); }

std::u32string_view strip(std::u32string_view text) {
  while (!text.empty() && is_stripped(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_stripped(text.back())) text.remove_suffix(1);
  return text;
}

std::u32string collapse_white_space(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  bool in_space = false;
  for (char32_t c : text) {
    const bool space = is_white_space(c);
    if (!space) out.push_back(c);
    if (space && !in_space) out.push_back(' ');
    in_space = space;
  }
  return out;
}

// The literals stand in the order in which the expression tries them.
constexpr std::array<std::string_view, 9> kLiterals = {
    "<|startoftext|>", "<|endoftext|>", "'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};

// U+017F is the one character outside ASCII whose simple case folding occurs in the literals.
// The Kelvin sign folds to k, which none of them holds.
char32_t fold(char32_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A' + 'a';
  return c == U'\u017F' ? 's' : c;
}

// Returns the end of the literal if `text` holds it at `position`, else `position`.
size_t match_literal(std::string_view text, size_t position, std::string_view literal) {
  size_t end = position;
  for (char expected : literal) {
    if (end == text.size() || fold(next_code_point(text, end)) != static_cast<char32_t>(expected)) {
      return position;
    }
  }
  return end;
}

size_t match_any_literal(std::string_view text, size_t position) {
  for (std::string_view literal : kLiterals) {
    if (size_t end = match_literal(text, position, literal); end != position) return end;
  }
  return position;
}

bool is_other(char32_t c) { return !is_letter(c) && !is_number(c) && !is_white_space(c); }

size_t match_run(std::string_view text, size_t position, bool (*belongs)(char32_t)) {
  while (position < text.size()) {
    size_t next = position;
    if (!belongs(next_code_point(text, next))) break;
    position = next;
  }
  return position;
}

// Returns the end of the word that begins at `position`; `position` itself at white space.
size_t match_word(std::string_view text, size_t position) {
  if (size_t end = match_any_literal(text, position); end != position) return end;
  size_t after_first = position;
  const char32_t first = next_code_point(text, after_first);
  if (is_letter(first)) return match_run(text, after_first, is_letter);
  if (is_number(first)) return after_first;
  return match_run(text, position, is_other);
}

}  // namespace

std::string clean_text(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    throw bad_input(fmt::format("a text of {} bytes, allowed are {}", text.size(), kMaxTextBytes),
                    "give a phrase: 77 tokens of it count");
  }
  std::u32string clean = repair_text(decode_utf8(text));
  clean = unescape_html(unescape_html(clean));
  clean = collapse_white_space(strip(clean));
  return encode_utf8(to_lower(strip(clean)));
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t position = 0; position < text.size();) {
    const size_t end = match_word(text, position);
    if (end == position) {
      next_code_point(text, position);  // white space
    } else {
      words.push_back(text.substr(position, end - position));
      position = end;
    }
  }
  return words;
}

}  // namespace tagclip
