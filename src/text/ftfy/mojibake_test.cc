#include "text/ftfy/mojibake.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "text/ftfy/code_page.h"
#include "text/ftfy/mojibake_signs.h"

namespace tagclip {
namespace {

// `text` in UTF-8, read in another encoding.
std::u32string misread(std::u32string_view text, const CodePage& page) {
  std::u32string out;
  for (char byte : encode_utf8(text)) out.push_back(page.decode(static_cast<uint8_t>(byte)));
  return out;
}

constexpr std::u32string_view kProper[] = {U"déjà vu, naïve façade, Ångström",
                                           U"Größe, Füße, Öl",
                                           U"¿Qué? ¡Sí! señor",
                                           U"Łódź, żółć, Škoda, čtyři",
                                           U"İstanbul, ağaç, şişe",
                                           U"кот и собака, Київ, ґанок",
                                           U"γάτα και σκύλος, Αθήνα",
                                           U"猫と犬 カメラ",
                                           U"قطة وكلب",
                                           U"חתול",
                                           U"5 × 3 = 15 ± 1°",
                                           U"100 € – £5, “quoted” ‘single’ «x»",
                                           U"™ ® © ½ ²",
                                           U"┌─┐ └─┘"};

TEST(Mojibake, LeavesProperTextAlone) {
  for (std::u32string_view text : kProper) {
    EXPECT_FALSE(has_mojibake_signs(text)) << encode_utf8(text);
    EXPECT_EQ(repair_mojibake(text), text) << encode_utf8(text);
  }
}

TEST(Mojibake, RepairsEveryLikelyMistake) {
  for (const CodePage& page : mistaken_code_pages()) {
    EXPECT_EQ(repair_mojibake(misread(U"猫と犬が好き", page)), U"猫と犬が好き");
  }
  EXPECT_EQ(repair_mojibake(misread(U"кошка и собака", windows_1252())), U"кошка и собака");
  EXPECT_EQ(repair_mojibake(misread(U"naïve façade", windows_1252())), U"naïve façade");
  EXPECT_EQ(repair_mojibake(misread(U"قطة وكلب", windows_1252())), U"قطة وكلب");
}

TEST(Mojibake, RepairsSeveralLayers) {
  const CodePage& page = windows_1252();
  std::u32string text = U"doesn’t";
  for (int layer = 0; layer < 4; ++layer) text = misread(text, page);
  EXPECT_EQ(repair_mojibake(text), U"doesn’t");
}

TEST(Mojibake, RepairsPartsOfAText) {
  EXPECT_EQ(repair_mojibake(U"l’humanitÃ©"), U"l’humanité");
  EXPECT_EQ(repair_mojibake(U"猫 schÃ¶n é"), U"猫 schön é");
}

TEST(Mojibake, RestoresSpacesThatWereNoBreakSpaces) {
  EXPECT_EQ(repair_mojibake(U"voilÃ le travail"), U"voilà le travail");
  EXPECT_EQ(repair_mojibake(U"vis Ã  vis"), U"vis à vis");
}

TEST(Mojibake, MarksWhatIsLost) {
  EXPECT_EQ(repair_mojibake(U"â€œ like this â€\uFFFD"), U"“ like this \uFFFD");
  EXPECT_EQ(repair_mojibake(U"â€? x"), U"\uFFFD x");
}

TEST(Mojibake, ReadsControlsOfLatin1AsWindowsDoes) {
  EXPECT_EQ(repair_mojibake(U"\u0093quoted\u0094 猫"), U"“quoted” 猫");
}

TEST(CodePage, KnowsAllBytesOfEveryPage) {
  EXPECT_EQ(mistaken_code_pages().size(), 10);
  for (const CodePage& page : mistaken_code_pages()) {
    for (int number = 1; number < 256; ++number) {
      if (number == CodePage::kLostByte) continue;
      const char32_t c = page.decode(static_cast<uint8_t>(number));
      EXPECT_EQ(page.encode({&c, 1}), std::string(1, static_cast<char>(number)));
    }
    EXPECT_EQ(page.encode(U"猫"), std::nullopt);
  }
  EXPECT_EQ(windows_1252().decode(0x80), U'€');
  EXPECT_EQ(windows_1252().decode(0x81), 0x81);
  EXPECT_EQ(windows_1252().encode(U"a\uFFFD"), "a\x1A");
  EXPECT_EQ(windows_1252().encode(U"\x1A"), std::nullopt);
}

}  // namespace
}  // namespace tagclip
