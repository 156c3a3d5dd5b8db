#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace tagclip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kMalformedTexts[] = {
    "\x80",  // a continuation alone
    "\xC3",  // cut off
    "\xE6\xA8",
    "\xC0\xAF",  // overlong
    "\xE0\x80\xAF",
    "\xED\xA0\x80",      // a surrogate
    "\xF4\x90\x80\x80",  // above U+10FFFF
    "\xFF",
};

TEST(Utf8, DecodesWhatItEncodes) {
  const std::u32string text = U"a\u00e9\u732b\U0001F333\U0010FFFF";
  EXPECT_EQ(decode_utf8(encode_utf8(text)), text);
  EXPECT_EQ(encode_utf8(U"\u00e9"), "\xC3\xA9");
}

TEST(Utf8, FindsTheFirstMalformedByte) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("\xF4\x8F\xBF\xBF"));
  for (const std::string_view bad : kMalformedTexts) {
    const std::string text = "a\xC3\xA9" + std::string(bad) + "b";
    EXPECT_EQ(find_invalid_utf8(text), 3u) << in_quotes(text);
    EXPECT_THROW(decode_utf8(text), Error);
  }
}

TEST(Utf8, AMalformedSequenceIsPassedWithoutItsNeighbours) {
  for (const std::string_view bad : kMalformedTexts) {
    const std::string text = std::string(bad) + "b";
    size_t position = 0;
    while (next_code_point(text, position) == kMalformed) ASSERT_LT(position, text.size());
    EXPECT_EQ(position, text.size()) << in_quotes(text);
  }
}

TEST(InQuotes, EscapesAsJsonDoes) {
  EXPECT_EQ(in_quotes("caf\xC3\xA9"), "\"caf\xC3\xA9\"");
  EXPECT_EQ(in_quotes("a\"b\\c\n\x1B\x7F\xC2\x9B"), R"("a\"b\\c\u000A\u001B\u007F\u009B")");
  EXPECT_EQ(in_quotes("a\xFF"), "\"a\xEF\xBF\xBD\"");
}

TEST(InQuotes, CutsBetweenCharacters) {
  EXPECT_EQ(in_quotes("12345", 5), "\"12345\"");
  EXPECT_EQ(in_quotes("123456", 5), "\"12345...\"");
  EXPECT_EQ(in_quotes("1234\xC3\xA9", 5), "\"1234...\"");
  EXPECT_EQ(in_quotes(std::string(1000, '\x80'), 9).substr(0, 4), "\"\xEF\xBF\xBD");
}

TEST(OneLine, HasNoControlCharacters) {
  EXPECT_EQ(one_line("a\r\nb\tc\x7F\xC2\x85"), "a  b c  ");
  EXPECT_EQ(one_line("a\xFF\xC3\xA9"), "a\xEF\xBF\xBD\xC3\xA9");
  EXPECT_EQ(one_line("1234\xC3\xA9", 5), "1234\xE2\x80\xA6");
}

TEST(TerminalText, KeepsLinesAndTabs) {
  EXPECT_EQ(terminal_text("a\n\tb\x1B[31m\xC2\x9B\xC3\xA9\xFF"), "a\n\tb?[31m?\xC3\xA9\xFF");
}

TEST(Numbers, AsText) {
  EXPECT_EQ(counted(0, "photo"), "0 photos");
  EXPECT_EQ(counted(1, "photo"), "1 photo");
  EXPECT_EQ(fixed(1.005, 1), "1.0");
  EXPECT_EQ(scientific(0.00015, 2), "1.50e-04");
  EXPECT_EQ(percent(0.12345, 2), "12.35");
  EXPECT_EQ(percent(NAN, 2), "-");
}

TEST(Numbers, FromText) {
  EXPECT_EQ(parse_number<int64_t>("-12"), -12);
  EXPECT_EQ(parse_number<double>("1e-3"), 1e-3);
  for (const char* text : {"", "1x", " 1", "1.5", "0x10", "99999999999999999999"}) {
    EXPECT_EQ(parse_number<int64_t>(text), std::nullopt) << text;
  }
}

TEST(SplitLines, TakesEveryLineEnding) {
  EXPECT_THAT(split_lines("a\nb c\r\n\t d \n"), ElementsAre("a", "b c", "d"));
  EXPECT_THAT(split_lines("\xEF\xBB\xBF"
                          "a\n\nb\n\n\n"),
              ElementsAre("a", "", "b"));
  EXPECT_THAT(split_lines("a\nb"), ElementsAre("a", "b"));
  EXPECT_THAT(split_lines(""), IsEmpty());
  EXPECT_THAT(split_lines(" \n\r\n"), IsEmpty());
}

TEST(EditDistance, CountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("cat", "cat"), 0u);
  EXPECT_EQ(edit_distance("", "cat"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3u);
}

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest("segmnt", {"train", "segment", "eval"}), "segment");
  EXPECT_EQ(nearest("tran", {"train", "segment", "eval"}), "train");
}

TEST(Nearest, SaysNothingWhenNoneIsNear) {
  EXPECT_EQ(nearest("zebra", {"train", "segment", "eval"}), std::nullopt);
  EXPECT_EQ(nearest("train", {}), std::nullopt);
}

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(display_width(""), 0u);
  EXPECT_EQ(display_width("tree"), 4u);
  EXPECT_EQ(display_width("B\xC3\xA4ume"), 5u);              // ä in one
  EXPECT_EQ(display_width("Ba\xCC\x88ume"), 5u);             // a and two dots
  EXPECT_EQ(display_width("\xE6\xA8\xB9\xE6\x9C\xA8"), 4u);  // two ideographs
  EXPECT_EQ(display_width("\xF0\x9F\x8C\xB3"), 2u);          // an emoji
  EXPECT_EQ(display_width("\xD0\xB4\xD0\xB5\xD1\x80\xD0\xB5\xD0\xB2\xD0\xBE"), 6u);  // Cyrillic
}

TEST(DisplayWidth, BytesThatAreNotUtf8TakeOneColumn) {
  EXPECT_EQ(display_width("a\xFF"
                          "b"),
            3u);
  EXPECT_EQ(display_width("\xC3"), 1u);
  EXPECT_EQ(display_width("\xE6\xA8"), 2u);
  EXPECT_EQ(display_width("\x80\x80"), 2u);
}

TEST(DisplayWidth, KeepsOtherScriptsApart) {
  EXPECT_EQ(display_width("\xED\x95\x9C\xEA\xB5\xAD"), 4u);              // Hangul
  EXPECT_EQ(display_width("\xEF\xBC\xA1"), 2u);                          // a fullwidth A
  EXPECT_EQ(display_width("\xE0\xB8\x9B\xE0\xB8\xA5\xE0\xB8\xB2"), 3u);  // Thai
  EXPECT_EQ(display_width("\xE0\xA4\xB9\xE0\xA5\x81"), 1u);  // Devanagari with a vowel sign
  EXPECT_EQ(display_width("a\xE2\x80\x8B"
                          "b"),
            2u);  // a zero-width space
}

TEST(WideEncoding, IsToldByMarksAndNulBytes) {
  using std::string_literals::operator""s;
  EXPECT_EQ(wide_encoding("\xFF\xFE"
                          "a\0"s),
            "UTF-16");
  EXPECT_EQ(wide_encoding("\xFE\xFF\0a"s), "UTF-16");
  EXPECT_EQ(wide_encoding("a\0\n\0b\0\n\0"s), "UTF-16");
  EXPECT_EQ(wide_encoding("\0p\0h\0o\0t\0o\0.\0j\0p\0g"s), "UTF-16");
  EXPECT_EQ(wide_encoding("\xFF\xFE\0\0a\0\0\0"s), "UTF-32");
  EXPECT_EQ(wide_encoding("\0\0\xFE\xFF\0\0\0a"s), "UTF-32");
  EXPECT_EQ(wide_encoding("a\0\0\0\n\0\0\0b\0\0\0"s), "UTF-32");
  EXPECT_EQ(wide_encoding("\0\0\0s\0\0\0k\0\0\0i\0\0\0s"s), "UTF-32");
  EXPECT_EQ(wide_encoding("photo\0b\0c\0"s), "") << "names that end in NUL";
  EXPECT_EQ(wide_encoding("a\0b\0"s), "");
  EXPECT_EQ(wide_encoding("photo.jpg\n"), "");
  EXPECT_EQ(wide_encoding(""), "");
}

}  // namespace
}  // namespace tagclip
