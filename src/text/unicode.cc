#include "text/unicode.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

constexpr size_t kMaxMarks = 1000;

icu::UnicodeString to_icu(std::u32string_view text) {
  return icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(text.data()),
                                       static_cast<int32_t>(text.size()));
}

std::u32string from_icu(const icu::UnicodeString& text) {
  std::u32string code_points;
  code_points.reserve(text.length());
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    code_points.push_back(text.char32At(i));
  }
  return code_points;
}

bool has_category(char32_t c, uint32_t mask) {
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & mask) != 0;
}

std::u32string normalize(const icu::Normalizer2* (*form)(UErrorCode&), std::u32string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = form(status);
  TAGCLIP_CHECK(U_SUCCESS(status), u_errorName(status));
  const icu::UnicodeString normalized = normalizer->normalize(to_icu(text), status);
  TAGCLIP_CHECK(U_SUCCESS(status), u_errorName(status));
  return from_icu(normalized);
}

}  // namespace

bool is_letter(char32_t c) { return has_category(c, U_GC_L_MASK); }

bool is_number(char32_t c) { return has_category(c, U_GC_N_MASK); }

bool is_lower(char32_t c) { return has_category(c, U_GC_LL_MASK); }

bool is_control(char32_t c) { return has_category(c, U_GC_CC_MASK); }

bool is_white_space(char32_t c) { return u_isUWhiteSpace(c); }

std::u32string to_lower(std::u32string_view text) {
  return from_icu(to_icu(text).toLower(icu::Locale::getRoot()));
}

std::string lower_case(std::string_view utf8) { return encode_utf8(to_lower(decode_utf8(utf8))); }

std::u32string to_upper(std::u32string_view text) {
  return from_icu(to_icu(text).toUpper(icu::Locale::getRoot()));
}

std::u32string compose(std::u32string_view text) {
  std::u32string composed;
  composed.reserve(text.size());
  size_t marks = 0;
  for (size_t start = 0, i = 0; i <= text.size(); ++i) {
    marks = i < text.size() && u_getCombiningClass(text[i]) != 0 ? marks + 1 : 0;
    if (i == text.size() || marks == kMaxMarks) {
      composed += normalize(&icu::Normalizer2::getNFCInstance, text.substr(start, i - start));
      start = i;
      marks = 0;
    }
  }
  return composed;
}

std::u32string compatibility_form(char32_t c) {
  return normalize(&icu::Normalizer2::getNFKCInstance, {&c, 1});
}

}  // namespace tagclip
