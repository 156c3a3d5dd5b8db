#include "text/ftfy/repair.h"

#include <algorithm>

#include "text/ftfy/html.h"
#include "text/ftfy/mojibake.h"
#include "text/unicode.h"

namespace tagclip {
namespace {

// A longer line is repaired in pieces of this many characters.
constexpr size_t kMaxSegment = 1'000'000;

// Each takes off one layer of HTML escapes; real texts have two or three.
constexpr int kMaxRounds = 16;

bool is_latin_ligature(char32_t c) {
  return (c >= 0xFB00 && c <= 0xFB06) || c == U'Ĳ' || c == U'ĳ' || c == U'ŉ' ||
         (c >= 0x1C4 && c <= 0x1CC) || (c >= 0x1F1 && c <= 0x1F3);
}

bool is_width_variant(char32_t c) { return c == U'\u3000' || (c >= 0xFF01 && c <= 0xFFEE); }

// Returns what replaces a character that is a variant of other ones.
void append_plain_form(char32_t c, std::u32string& out) {
  if (c == U'\u02BC' || (c >= 0x2018 && c <= 0x201B)) {
    out += U'\'';
  } else if (c >= 0x201C && c <= 0x201F) {
    out += U'"';
  } else if (c == U'\uFB05') {
    out += U"ſt";  // the compatibility form would lose the long s
  } else if (is_latin_ligature(c) || is_width_variant(c)) {
    out += compatibility_form(c);
  } else {
    out += c;
  }
}

std::u32string to_plain_forms(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (char32_t c : text) append_plain_form(c, out);
  return out;
}

std::u32string unify_line_breaks(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    const bool line_break = c == '\r' || c == U'\u2028' || c == U'\u2029' || c == 0x85;
    out += line_break ? U'\n' : c;
  }
  return out;
}

// The length of the terminal escape (as ESC[31;1m) that `text` begins with, or 0.
size_t terminal_escape_length(std::u32string_view text) {
  if (!text.starts_with(U"\x1B[")) return 0;
  size_t end = 2;
  while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == ';')) ++end;
  if (end == text.size()) return 0;
  const char32_t command = text[end] | 0x20;
  return command >= 'a' && command <= 'z' && text[end] < 0x80 ? end + 1 : 0;
}

std::u32string remove_terminal_escapes(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = terminal_escape_length(text);
    if (length == 0) out += text[0];
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

// Controls that nobody wants in a text. Joiners, direction marks and tags may stay.
bool is_unwanted(char32_t c) {
  const bool white = c == '\t' || c == '\n' || c == '\f' || c == '\r';
  return (c < 0x20 && !white) || c == 0x7F || (c >= 0x206A && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFC);
}

// Printable ASCII without references needs no repair: most texts, and the quick way out.
bool is_plain(std::u32string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char32_t c) { return c >= ' ' && c <= '~' && c != '&'; });
}

std::u32string repair_segment(std::u32string_view segment, bool unescape) {
  std::u32string text(segment);
  if (is_plain(segment)) return text;
  for (int round = 0; round < kMaxRounds; ++round) {
    std::u32string next = unescape ? unescape_closed_html(text) : text;
    next = unify_line_breaks(to_plain_forms(repair_mojibake(next)));
    next = remove_terminal_escapes(next);
    std::erase_if(next, is_unwanted);
    next = compose(next);
    if (next == text) break;
    text = std::move(next);
  }
  return text;
}

}  // namespace

std::u32string repair_text(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  bool is_html = false;
  while (!text.empty()) {
    const size_t line_end = std::min(text.find(U'\n'), text.size() - 1) + 1;
    const auto segment = text.substr(0, std::min(line_end, kMaxSegment));
    is_html = is_html || segment.find(U'<') != segment.npos;
    out += repair_segment(segment, !is_html);
    text.remove_prefix(segment.size());
  }
  return out;
}

}  // namespace tagclip
