#include "text/clean.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "text/html.h"
#include "text/repair.h"
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

}  // namespace tagclip
