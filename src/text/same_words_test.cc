#include "text/same_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/tokenizer.h"

namespace tagclip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

DistinctClasses distinct(const std::vector<std::vector<std::string>>& words,
                         const std::vector<std::string>& templates = {"a photo of a {}."}) {
  std::vector<ClassWords> classes;
  for (const auto& entry : words) classes.push_back({entry});
  return distinct_classes(classes, templates, Tokenizer(), Tokenizer::kContext);
}

std::vector<std::vector<std::string>> words_of(const DistinctClasses& found) {
  std::vector<std::vector<std::string>> words;
  for (const ClassWords& entry : found.classes) words.push_back(entry.words);
  return words;
}

TEST(Spelling, IsEqualWhereTheIdsAre) {
  const Tokenizer tokenizer;
  const char* const pairs[][2] = {{"traffic light", "traffic\u00A0light"},
                                  {"traffic light", "Traffic  light"},
                                  {"men's shoe", "men\u2019s shoe"},
                                  {"caf\u00E9", "cafe\u0301"},
                                  {"t-shirt", "t - shirt"}};
  for (const auto& [one, other] : pairs) {
    EXPECT_EQ(tokenizer.encode(one), tokenizer.encode(other)) << one << " " << other;
    EXPECT_EQ(spelling(one), spelling(other)) << one << " " << other;
  }
  EXPECT_NE(spelling("traffic light"), spelling("trafficlight"));
}

TEST(DistinctClasses, OneClassOfWordsThatAreTheSame) {
  const auto found =
      distinct({{"Traffic light"}, {"sky"}, {"traffic\u00A0light"}, {"traffic  light"}});
  EXPECT_THAT(words_of(found), ElementsAre(ElementsAre("Traffic light"), ElementsAre("sky")));
  EXPECT_THAT(found.origin, ElementsAre(0, 1));
  ASSERT_EQ(found.remarks.size(), 2U);
  EXPECT_EQ(found.remarks[1],
            "\"traffic  light\" of class 4 and \"Traffic light\" of class 1 are the same to CLIP: "
            "they are one class");
}

TEST(DistinctClasses, AWordBelongsToTheFirstClassThatHasIt) {
  const auto found = distinct({{"sofa", "Sofa"}, {"Couch", "SOFA"}, {"couch"}});
  EXPECT_THAT(words_of(found), ElementsAre(ElementsAre("sofa"), ElementsAre("Couch")));
  EXPECT_THAT(found.remarks, ElementsAre(HasSubstr("the word counts once"),
                                         HasSubstr("the word belongs to class 1 alone"),
                                         HasSubstr("they are one class")));
}

TEST(DistinctClasses, LongTextsThatAreCutToTheSame) {
  std::string longer = "word";
  for (int i = 0; i < 80; ++i) longer += " word";
  EXPECT_EQ(distinct({{longer + " one"}, {longer + " two"}}).classes.size(), 1U);
  EXPECT_EQ(distinct({{"one " + longer}, {"two " + longer}}).classes.size(), 2U);
  // A text of exactly 77 ids is what a longer one is cut to.
  std::string exact = "word";
  for (int i = 1; i < Tokenizer::kContext - 2 - 4; ++i) exact += " word";
  EXPECT_EQ(distinct({{exact}, {exact + " more"}}, {"a photo of {} x"}).classes.size(), 2U);
  EXPECT_EQ(distinct({{exact}, {exact + " more"}}, {"a photo of a {}"}).classes.size(), 1U);
}

}  // namespace
}  // namespace tagclip
