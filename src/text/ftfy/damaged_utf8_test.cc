#include "text/ftfy/damaged_utf8.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

TEST(DamagedUtf8, RestoresNoBreakSpacesInSequences) {
  EXPECT_EQ(restore_no_break_spaces("\xC3 \xC3\xA9"), "\xC3\xA0 \xC3\xA9");
  EXPECT_EQ(restore_no_break_spaces("\xC3 quele"), "\xC3\xA0quele");
  EXPECT_EQ(restore_no_break_spaces("\xC3  x"), "\xC3\xA0 x");
  EXPECT_EQ(restore_no_break_spaces("\xC5 x"), "\xC5\xA0x");
  EXPECT_EQ(restore_no_break_spaces("\xE3 \x81"), "\xE3\xA0\x81");
  EXPECT_EQ(restore_no_break_spaces("\xE1\x80 "), "\xE1\x80\xA0");
  EXPECT_EQ(restore_no_break_spaces("\xF0\x9F \xB1"), "\xF0\x9F\xA0\xB1");
}

TEST(DamagedUtf8, LeavesOtherSpacesAlone) {
  for (std::string_view bytes :
       {"cat dog", "\xC4 x", "\xE1 \x80", "\xE2\x85 ", "\xF0\x9F  ", "\xC3", "\xE2 ", ""}) {
    EXPECT_EQ(restore_no_break_spaces(bytes), bytes);
  }
}

TEST(DamagedUtf8, ReplacesLossySequences) {
  EXPECT_EQ(replace_lossy_sequences("a\xE2\x80\x1A z"), "a\xEF\xBF\xBD z");
  EXPECT_EQ(replace_lossy_sequences("\xC3?"), "\xEF\xBF\xBD");
  EXPECT_EQ(replace_lossy_sequences("\xF0\x1A\x1A?"), "\xEF\xBF\xBD");
  for (std::string_view bytes : {"\xC4?", "\xE2??", "\xE2\x80\x93", "\xC3", "?", "\x1A"}) {
    EXPECT_EQ(replace_lossy_sequences(bytes), bytes);
  }
}

TEST(DamagedUtf8, DecodesTheVariantsOfJavaAndDatabases) {
  EXPECT_EQ(decode_utf8_variants("\xC0\x80"), std::u32string(1, U'\0'));
  EXPECT_EQ(decode_utf8_variants("\xED\xA0\xBD\xED\xB8\x80"), U"😀");
  EXPECT_EQ(decode_utf8_variants("caf\xC3\xA9"), U"café");
  for (std::string_view bytes :
       {"\xE9", "\xED\xA0\xBD", "\xED\xA0\xBD\xED", "\xED\xB8\x80", "\xC0\x81", "\xFF"}) {
    EXPECT_EQ(decode_utf8_variants(bytes), std::nullopt);
  }
}

}  // namespace
}  // namespace tagclip
