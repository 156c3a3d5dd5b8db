#include "text/ftfy/repair.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace tagclip {
namespace {

TEST(Repair, StraightensVariantsOfCharacters) {
  EXPECT_EQ(repair_text(U"ﬂuﬃeﬆ Ǆ ſ ﬅ"), U"fluffiest DŽ ſ ſt");
  EXPECT_EQ(repair_text(U"ＬＯＵＤ\u3000ＮＯＩＳＥＳ Ｕﾀｰﾝ ｶﾞ"), U"LOUD NOISES Uターン ガ");
  EXPECT_EQ(repair_text(U"‘a’ ‚b‛ “c” „d‟ ʼe ′"), U"'a' 'b' \"c\" \"d\" 'e ′");
  EXPECT_EQ(repair_text(U"cafe\u0301"), U"café");
}

TEST(Repair, RemovesWhatNobodyMeant) {
  EXPECT_EQ(repair_text(U"\x1B[36;44mblue\x1B[0m"), U"blue");
  EXPECT_EQ(repair_text(U"\x1B[?25h \x1B[ \x1B[1"), U"[?25h [ [1");
  EXPECT_EQ(repair_text(U"a\x07\x7F\uFEFF\u206A\uFFF9\uFFFC\x0B\x1C.\t\f\n"), U"a.\t\f\n");
  EXPECT_EQ(repair_text(U"\u200D\u200F\u200B"), U"\u200D\u200F\u200B");
}

TEST(Repair, UnifiesLineBreaks) {
  EXPECT_EQ(repair_text(U"a\r\nb\rc\u2028d\u2029e\n"), U"a\nb\nc\nd\ne\n");
}

TEST(Repair, UnescapesHtmlUntilATagIsSeen) {
  EXPECT_EQ(repair_text(U"&amp;amp;amp;lt;"), U"<");
  EXPECT_EQ(repair_text(U"a&amp;\n<b> &amp;\n&amp;"), U"a&\n<b> &amp;\n&amp;");
}

TEST(Repair, RepeatsTheStepsUntilNothingChanges) {
  EXPECT_EQ(repair_text(U"&Atilde;&copy;t&Atilde;&copy;"), U"été");
  EXPECT_EQ(repair_text(U"itâ€™s ŉ"), U"it's 'n");
}

TEST(Repair, RepairsLinesOneByOne) { EXPECT_EQ(repair_text(U"schÃ¶n\n’é"), U"schön\n'é"); }

TEST(Repair, TakesLongLinesInPieces) {
  const std::u32string line = std::u32string(1'500'000, U'a') + U"é ﬁsh";
  EXPECT_EQ(repair_text(line), std::u32string(1'500'000, U'a') + U"é fish");
}

}  // namespace
}  // namespace tagclip
