#include "text/ftfy/mojibake_signs.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "text/ftfy/code_page.h"
#include "text/unicode.h"

namespace tagclip {
namespace {

// The roles a character may have beside its neighbours; one may have several.
using Kinds = uint32_t;
enum : Kinds {
  kC1 = 1 << 0,             // U+0080 to U+009F
  kCapital = 1 << 1,        // accented Latin
  kSmall = 1 << 2,          // accented Latin
  kRareLatin = 1 << 3,      // accented Latin that seldom takes part in mojibake
  kOtherLetter = 1 << 4,    // Greek, Cyrillic, thorn
  kOtherSmall = 1 << 5,     // Greek and Cyrillic small letters
  kLead = 1 << 6,           // lead bytes C2, C3 (Latin), CE (Greek), D0 (Cyrillic) in Latin-1
  kGreekLead = 1 << 7,      // C2, C3, CE, CF in the Greek page
  kCyrillicLead = 1 << 8,   // C2, C3, D0, D1 in the Cyrillic page
  kWindowsLetter = 1 << 9,  // letters that Windows put at bytes 80 to 9F
  kBox = 1 << 10,           // box-drawing and block elements
  kOdd = 1 << 11,           // symbols rare in any text
  kOpening = 1 << 12,       // punctuation before a word
  kClosing = 1 << 13,       // punctuation behind a word
  kTrademark = 1 << 14,
  kNumeric = 1 << 15,  // fractions, powers, operators
  kCurrency = 1 << 16,
  kSection = 1 << 17,
  kDegree = 1 << 18,
  kSeparator = 1 << 19,  // no-break space, soft hyphen, middle dot, dashes
  kMicro = 1 << 20,
  kAcute = 1 << 21,
  kSpace = 1 << 22,
  kAsciiSmall = 1 << 23,
  kAsciiLetter = 1 << 24,
  kLigature = 1 << 25,   // œ, which needs a letter behind it
  kWord = 1 << 26,       // letters, numbers and the underscore
  kLatinLead = 1 << 27,  // C2, C3 in Latin-1
  kPlainSpace = 1 << 28,
  kStart = 1 << 29,        // no character at all
  kArabicLead = 1 << 30,   // D8, D9 in Latin-1
  kArabicRest = 1u << 31,  // what follows them, where no other kind says it
};
constexpr Kinds kAccented = kCapital | kSmall;
constexpr Kinds kAmount = kNumeric | kCurrency;
constexpr Kinds kAfterArabicLead =
    kArabicRest | kOdd | kOpening | kAmount | kDegree | kSeparator | kAcute;
constexpr Kinds kQuoting = kOpening | kClosing | kTrademark;

struct Group {
  Kinds kinds;
  std::u32string_view members;
};

constexpr Group kGroups[] = {
    {kLead, U"ÂÃÎÐ"},
    {kLatinLead, U"ÂÃ"},
    {kPlainSpace, U" "},
    {kArabicLead, U"ØÙ"},
    {kArabicRest, U"ŠŸ®»…―"},
    {kGreekLead, U"ΒΓΞΟ"},
    {kCyrillicLead, U"ВГРС"},
    {kWindowsLetter, U"ŠšŸžœ"},
    {kLigature, U"Œœ"},
    {kOtherLetter, U"Þ"},
    {kOdd, U"¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊\uFFFD"},
    {kOpening, U"¡«¿©΄΅‘‚“„•‹\uF8FF"},
    {kClosing, U"»˝”›"},
    {kTrademark, U"®™"},
    {kNumeric, U"²³¹¼½¾×÷±µ⁄№∂∆∏∑√∞∩∫≈≠≡≤≥"},
    {kCurrency, U"¢£¥€₧"},
    {kSection, U"§¶"},
    {kDegree, U"°"},
    {kSeparator, U"\u00A0\u00AD·–—"},
    {kMicro, U"µ"},
    {kAcute, U"´"},
};

// Letters of the code pages that tell nothing about their neighbours, or little.
constexpr std::u32string_view kRare = U"ÒÓÔÕÖÙÚÛòóôõöøùúûŌŐŪŲ";
constexpr std::u32string_view kSilent = U"ÞýþÿĮıńņňōőŔŖŗřţūůűųΐϊϋόύώ─└┴■";

// Neighbours that are a sign of mojibake, by kind.
constexpr Kinds kPairs[][2] = {
    {kBox, kAccented | kRareLatin | kOdd | kQuoting | kAmount | kSection | kDegree},
    {kOdd, kAccented | kBox | kOdd | kQuoting | kAmount | kSection},
    {kAmount, kAccented | kBox | kOdd | kOpening},
    {kClosing | kTrademark, kAccented | kBox | kOdd | kCurrency},
    {kOpening | kSection, kBox | kOdd},
    {kCapital, kBox | kOdd | kNumeric | kSection | kDegree},
    {kSmall, kCapital | kBox | kOdd | kCurrency},
    {kOtherSmall, kCapital},
    {kLead, kQuoting | kSeparator | kAcute | kWindowsLetter},
};

constexpr Kinds kTriples[][3] = {
    {kAccented, kQuoting, kWord},
    {kAccented | kClosing | kTrademark, kOpening, kNumeric},
    {kAccented | kAmount | kSection, kClosing | kTrademark, kOpening},
    {kGreekLead, kQuoting | kOdd | kCurrency | kDegree, kGreekLead},
    {kCyrillicLead, kQuoting | kOdd | kCurrency | kDegree | kMicro, kCyrillicLead},
    {kAsciiLetter, kOtherLetter, kOdd},
    {kAsciiSmall, kCapital, kOpening},
    {kAsciiSmall | kSpace, kCapital, kCurrency},
    {kAsciiSmall | kStart, kLatinLead, kPlainSpace},
};

constexpr Kinds kQuadruples[][4] = {
    {kArabicLead, kAfterArabicLead, kArabicLead, kAfterArabicLead},
    {kAsciiSmall, kSpace, kLatinLead, kPlainSpace},
};

// Single characters that are a sign with what follows: the remains of common characters.
constexpr std::u32string_view kCharacterPairs[][2] = {
    {U"ÂÃÎÐ", U"¢£€"},       // Latin, Greek, Cyrillic
    {U"à", U"²µ¹¼½¾"},       // Thai, Indian scripts
    {U"в", U"Ђ"},            // punctuation read as Cyrillic
    {U"×", U"²³"},           // Hebrew
    {U"√", U"±∂≠≤≥®¥´µø™"},  // C3 on MacOS
    {U"≈", U"¢°"},           // C5 on MacOS
};

constexpr std::u32string_view kCharacterTriples[][3] = {
    {U".,!?", U"Â", U" "},              // a no-break space behind a sentence
    {U"‚", U"Ä", U"¢ìîïòôùúûπ"},        // punctuation read as MacOS
    {U"‚â", U"ó", U"°àäê"},             // geometric shapes
    {U"β", U"€", U"\u00A0\u00AD®°Ά™"},  // punctuation read as Greek
};

bool contains(std::u32string_view set, char32_t c) { return set.find(c) != set.npos; }

// Other letters cannot be part of mojibake.
bool is_in_a_code_page(char32_t c) {
  const auto pages = mistaken_code_pages();
  return std::any_of(pages.begin(), pages.end(), [&](const CodePage& page) { return page.has(c); });
}

Kinds kinds_of_letter(char32_t c) {
  if (!is_in_a_code_page(c) || contains(kSilent, c)) return 0;
  if (contains(kRare, c)) return kRareLatin;
  const bool small = is_lower(c);
  const bool latin = (c >= 0xC0 && c <= 0x17F) || contains(U"Ґґﬁﬂ", c);
  if (latin) return small ? Kinds{kSmall} : Kinds{kCapital};
  const bool greek_or_cyrillic = c >= 0x386 && c <= 0x45F;
  if (greek_or_cyrillic) return kOtherLetter | (small ? kOtherSmall : Kinds{0});
  if (c < 0x80) return kAsciiLetter | (small ? kAsciiSmall : Kinds{0});
  return 0;
}

Kinds kinds_of_any(char32_t c) {
  Kinds kinds = 0;
  if (is_letter(c)) kinds |= kWord | kinds_of_letter(c);
  if (is_number(c) || c == '_') kinds |= kWord;
  if (is_white_space(c)) kinds |= kSpace;
  if (c >= 0x80 && c <= 0x9F) kinds |= kC1;
  if (c >= 0x2500 && c <= 0x259F && !contains(kSilent, c)) kinds |= kBox;
  for (const Group& group : kGroups) {
    if (contains(group.members, c)) kinds |= group.kinds;
  }
  return kinds;
}

Kinds kinds_of(char32_t c) {
  constexpr char32_t kTableSize = 0x2600;  // above it: two ligatures, U+F8FF and U+FFFD
  static const std::vector<Kinds> table = [] {
    std::vector<Kinds> kinds(kTableSize);
    for (char32_t i = 0; i < kTableSize; ++i) kinds[i] = kinds_of_any(i);
    return kinds;
  }();
  if (c < kTableSize) return table[c];
  if (c >= 0xF8FF && c <= 0xFFFD) return kinds_of_any(c);
  return is_letter(c) || is_number(c) ? Kinds{kWord} : 0;
}

struct Character {
  char32_t value = 0;
  Kinds kinds = kStart;
};

bool is_pair(const Character& a, const Character& b) {
  if ((a.kinds & kLigature) && !(b.kinds & kAsciiLetter)) return true;
  for (const auto& [left, right] : kPairs) {
    if ((a.kinds & left) && (b.kinds & right)) return true;
  }
  for (const auto& [left, right] : kCharacterPairs) {
    if (contains(left, a.value) && contains(right, b.value)) return true;
  }
  return false;
}

bool is_triple(const Character& a, const Character& b, const Character& c) {
  for (const auto& [first, second, third] : kTriples) {
    if ((a.kinds & first) && (b.kinds & second) && (c.kinds & third)) return true;
  }
  for (const auto& [first, second, third] : kCharacterTriples) {
    if (!contains(first, a.value) || !contains(second, b.value)) continue;
    if (contains(third, c.value)) return true;
  }
  return false;
}

bool is_quadruple(const std::array<Character, 4>& characters) {
  const auto& [a, b, c, d] = characters;
  for (const auto& [first, second, third, fourth] : kQuadruples) {
    if (!(a.kinds & first) || !(b.kinds & second)) continue;
    if ((c.kinds & third) && (d.kinds & fourth)) return true;
  }
  return false;
}

// The last four characters read, the newest at 3.
bool end_in_sign(const std::array<Character, 4>& last) {
  if (last[3].kinds & kC1) return true;
  if (last[2].value < 0x80) return false;  // nothing in the tables has ASCII next to last
  return is_pair(last[2], last[3]) || is_triple(last[1], last[2], last[3]) || is_quadruple(last);
}

// A quote or dash inside a sentence, read as Cyrillic twice.
bool has_twice_cyrillic_punctuation(std::u32string_view text) {
  constexpr std::u32string_view kBeginning = U"ГўВЂВ";
  for (size_t at = text.find(kBeginning); at != text.npos; at = text.find(kBeginning, at + 1)) {
    const size_t behind = at + kBeginning.size() + 1;
    if (behind >= text.size()) return false;
    if (kinds_of(text[behind]) & (kAsciiLetter | kPlainSpace)) return true;
  }
  return false;
}

}  // namespace

bool has_mojibake_signs(std::u32string_view text) {
  std::array<Character, 4> last;
  for (char32_t value : text) {
    std::shift_left(last.begin(), last.end(), 1);
    last.back() = {value, kinds_of(value)};
    if (end_in_sign(last)) return true;
  }
  return has_twice_cyrillic_punctuation(text);
}

}  // namespace tagclip
