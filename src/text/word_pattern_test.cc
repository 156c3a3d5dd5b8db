#include "text/word_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tagclip {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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
