#include "base/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "base/error.h"

namespace tagclip {
namespace {

// C0, DEL and C1: they steer terminals.
bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

char32_t readable_code_point(std::string_view text, size_t& position) {
  const char32_t c = next_code_point(text, position);
  return c == kMalformed ? 0xFFFD : c;
}

// The longest beginning of at most `max_bytes` that does not end inside a code point.
std::string_view cut(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  auto end = static_cast<int32_t>(max_bytes);
  U8_SET_CP_START(reinterpret_cast<const uint8_t*>(text.data()), 0, end);
  return text.substr(0, static_cast<size_t>(end));
}

size_t columns_of(char32_t c) {
  const auto point = static_cast<UChar32>(c);
  constexpr uint32_t kWithoutWidth = U_GC_MN_MASK | U_GC_ME_MASK | U_GC_CF_MASK | U_GC_CC_MASK;
  if ((U_GET_GC_MASK(point) & kWithoutWidth) != 0) return 0;
  const int width = u_getIntPropertyValue(point, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

}  // namespace

char32_t next_code_point(std::string_view text, size_t& position) {
  UChar32 code_point;
  // NOLINTNEXTLINE(bugprone-inc-dec-in-conditions): ICU's macro steps on
  U8_NEXT(reinterpret_cast<const uint8_t*>(text.data()), position, text.size(), code_point);
  return code_point < 0 ? kMalformed : static_cast<char32_t>(code_point);
}

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  for (size_t position = 0; position < text.size();) {
    const size_t start = position;
    if (next_code_point(text, position) == kMalformed) return start;
  }
  return std::nullopt;
}

std::string_view wide_encoding(std::string_view text) {
  using std::string_view_literals::operator""sv;
  if (text.starts_with("\xFF\xFE\0\0"sv) || text.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (text.starts_with("\xFF\xFE"sv) || text.starts_with("\xFE\xFF"sv)) return "UTF-16";
  constexpr size_t kEnough = 16;  // bytes; fewer may be names of one letter with NUL between
  // Whether every unit of so many bytes is a Latin letter: NUL but for its first or its last byte.
  const auto units_of = [&](size_t bytes) {
    if (text.size() < kEnough || text.size() % bytes != 0) return false;
    bool first = true, last = true;
    for (size_t i = 0; i < text.size(); ++i) {
      first = first && (text[i] == '\0') == (i % bytes != 0);
      last = last && (text[i] == '\0') == (i % bytes != bytes - 1);
    }
    return first || last;
  };
  if (units_of(4) || text.find("\0\0\n\0\0"sv) != text.npos) return "UTF-32";
  return units_of(2) || text.find("\0\n\0"sv) != text.npos ? "UTF-16" : "";
}

void refuse_wide_encoding(std::string_view text, const std::string& source) {
  const std::string_view encoding = wide_encoding(text);
  if (encoding.empty()) return;
  throw bad_input(fmt::format("{}: {} text, expected UTF-8", source, encoding),
                  fmt::format("save it as UTF-8: iconv -f {} -t UTF-8 makes it so", encoding));
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

std::u32string decode_utf8(std::string_view text) {
  std::u32string code_points;
  code_points.reserve(text.size());
  for (size_t position = 0; position < text.size();) {
    const size_t start = position;
    const char32_t code_point = next_code_point(text, position);
    if (code_point == kMalformed) {
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

std::string in_quotes(std::string_view text, size_t max_bytes) {
  const std::string_view shown = cut(text, max_bytes);
  std::string result = "\"";
  for (size_t position = 0; position < shown.size();) {
    const char32_t c = readable_code_point(shown, position);
    if (is_control(c)) {
      result += fmt::format("\\u{:04X}", static_cast<uint32_t>(c));
      continue;
    }
    if (c == U'"' || c == U'\\') result += '\\';
    append_utf8(c, result);
  }
  if (shown.size() < text.size()) result += "...";
  return result + '"';
}

std::string one_line(std::string_view text, size_t max_bytes) {
  const std::string_view shown = cut(text, max_bytes);
  std::string line;
  for (size_t position = 0; position < shown.size();) {
    const char32_t c = readable_code_point(shown, position);
    append_utf8(is_control(c) ? U' ' : c, line);
  }
  if (shown.size() < text.size()) line += "…";
  return line;
}

std::string terminal_text(std::string_view text) {
  std::string result;
  for (size_t position = 0; position < text.size();) {
    const size_t start = position;
    const char32_t c = next_code_point(text, position);
    const bool steers = is_control(c) && c != U'\n' && c != U'\t';
    result += steers ? "?" : text.substr(start, position - start);
  }
  return result;
}

size_t display_width(std::string_view text) {
  size_t width = 0;
  for (size_t position = 0; position < text.size();) {
    const size_t start = position;
    const char32_t c = next_code_point(text, position);
    width += c == kMalformed ? position - start : columns_of(c);
  }
  return width;
}

std::string some_of(const std::vector<std::string>& names, size_t shown) {
  const auto first = std::span(names).first(std::min(names.size(), shown));
  std::string text = fmt::format("{}", fmt::join(first, ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

std::string counted(int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string fixed(double value, int digits) { return fmt::format("{:.{}f}", value, digits); }

std::string scientific(double value, int digits) { return fmt::format("{:.{}e}", value, digits); }

std::string percent(double fraction, int digits) {
  return std::isnan(fraction) ? "-" : fixed(100 * fraction, digits);
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\v\f";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::vector<std::string_view> split_lines(std::string_view text) {
  text = without_byte_order_mark(text);
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(trim(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::optional<std::string> nearest(const std::string& word,
                                   const std::vector<std::string>& candidates) {
  size_t best = std::max<size_t>(2, word.size() / 3) + 1;
  std::optional<std::string> result;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best) {
      best = distance;
      result = candidate;
    }
  }
  return result;
}

std::string did_you_mean(const std::optional<std::string>& meant, std::string otherwise) {
  if (meant) return "did you mean " + *meant + "?";
  return otherwise;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates,
                         std::string otherwise) {
  return did_you_mean(nearest(word, candidates), std::move(otherwise));
}

}  // namespace tagclip
