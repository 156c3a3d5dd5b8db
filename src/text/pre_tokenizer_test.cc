#include "text/pre_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/error.h"
#include "base/text.h"

namespace tagclip {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Clean, LowersTrimsAndCollapses) {
  EXPECT_EQ(clean_text("  A Photo\t of\n\u00A0a\u3000CAT "), "a photo of a cat");
  EXPECT_EQ(clean_text("İ ΑΣ ΑΣΑ ẞ Ǆ"), "i̇ ας ασα ß dž");
  EXPECT_EQ(clean_text(" \u2028\u1680"), "");
}

TEST(Clean, UnescapesHtmlTwiceBehindTheRepairs) {
  EXPECT_EQ(clean_text("<b>&amp;ldquo;"), "<b>“");
  EXPECT_EQ(clean_text("<b>&amp;amp;lt;"), "<b>&lt;");
}

std::string error_of(std::string_view text) {
  try {
    return clean_text(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
}

TEST(Clean, NamesTheFirstInvalidByte) {
  EXPECT_EQ(error_of("caf\xE9!"), "text is not valid UTF-8: byte 3 is 0xe9");
  EXPECT_EQ(error_of("\xC0\x80"), "text is not valid UTF-8: byte 0 is 0xc0");
  EXPECT_EQ(error_of("a\xED\xA0\x80"), "text is not valid UTF-8: byte 1 is 0xed");
  EXPECT_EQ(error_of("猫\xF4\x90\x80\x80"), "text is not valid UTF-8: byte 3 is 0xf4");
  EXPECT_EQ(error_of("ab\xE7\x8C"), "text is not valid UTF-8: byte 2 is 0xe7");
}

TEST(Clean, RefusesTextsThatCannotBeMeant) {
  EXPECT_EQ(error_of(std::string((16 << 20) + 1, 'a')),
            "a text of 16777217 bytes, allowed are 16777216");
}

TEST(Clean, TakesEveryCodePoint) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const std::string clean = clean_text(encode_utf8(std::u32string(1, c)));
    ASSERT_FALSE(find_invalid_utf8(clean)) << static_cast<uint32_t>(c);
  }
}

std::string ampersand_and_many(std::string_view piece) {
  std::string text = "&";
  while (text.size() < (1 << 20)) text += piece;
  return text;
}

TEST(Clean, TakesAMegabyteOfAnythingInBoundedTime) {
  for (std::string_view piece :
       {"a", "cat ", "猫", "Ã©", "Ã©猫", "amp;", "&", "&#1111111111111111", "&aaaaaaaa", "&amp;",
        "\n", "\x1B[1", "\u009D", "\u0301\u0327", "e\u0301", "â€\uFFFD", "Σ'"}) {
    const std::string text = ampersand_and_many(piece);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(find_invalid_utf8(clean_text(text)));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60)) << piece;
  }
}

TEST(WordPattern, CutsLettersNumbersAndTheRest) {
  EXPECT_THAT(split_words("x10 cats,now!?"), ElementsAre("x", "1", "0", "cats", ",", "now", "!?"));
  EXPECT_THAT(split_words("½²Ⅷ"), ElementsAre("½", "²", "Ⅷ"));
  EXPECT_THAT(split_words("naïve猫ㄅ"), ElementsAre("naïve猫ㄅ"));
  EXPECT_THAT(split_words(" \t\u3000 "), IsEmpty());
}

TEST(WordPattern, CutsContractionsInAnyCase) {
  EXPECT_THAT(split_words("it's we'LL don't"), ElementsAre("it", "'s", "we", "'LL", "don", "'t"));
  EXPECT_THAT(split_words("'sun"), ElementsAre("'s", "un"));
  EXPECT_THAT(split_words("it''s"), ElementsAre("it", "''", "s"));
  EXPECT_THAT(split_words("'ſ 'k"), ElementsAre("'ſ", "'", "k"));
}

TEST(WordPattern, KeepsSpecialTokensWhole) {
  EXPECT_THAT(split_words("a<|endoftext|>b"), ElementsAre("a", "<|endoftext|>", "b"));
  EXPECT_THAT(split_words("<|EndOfText|>"), ElementsAre("<|EndOfText|>"));
  EXPECT_THAT(split_words("<|ſtartoftext|>"), ElementsAre("<|ſtartoftext|>"));
  // A run of other characters that has begun goes on.
  EXPECT_THAT(split_words("!<|endoftext|>"), ElementsAre("!<|", "endoftext", "|>"));
  EXPECT_THAT(split_words("<|endof"), ElementsAre("<|", "endof"));
}

TEST(WordPattern, CountsMarksAndInvisibleCharactersAsOthers) {
  EXPECT_THAT(split_words("q\u0323r"), ElementsAre("q", "\u0323", "r"));
  EXPECT_THAT(split_words("a\u200Bb"), ElementsAre("a", "\u200B", "b"));
}

}  // namespace
}  // namespace tagclip
