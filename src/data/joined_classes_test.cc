#include "data/joined_classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/class_lists.h"
#include "data/label_sets.h"
#include "data/test_dataset.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Data sets of these classes; those of `unseen` are hidden in them.
class JoinedClassesTest : public ::testing::Test {
 protected:
  void add(const std::string& folder, const std::vector<std::vector<std::string>>& classes,
           const std::vector<std::string>& unseen = {}) {
    DatasetInfo info{folder};
    for (const auto& words : classes) {
      info.words.push_back({words});
      info.classes.push_back(words.front());
      info.seen.push_back(std::ranges::count(unseen, words.front()) == 0);
    }
    infos_.push_back(std::move(info));
  }
  std::vector<const DatasetInfo*> sets() const {
    std::vector<const DatasetInfo*> sets;
    for (const DatasetInfo& info : infos_) sets.push_back(&info);
    return sets;
  }
  JoinedClasses join() const { return join_classes(sets(), synonyms_); }
  std::string refusal() const {
    return bad_input_text([&] { join(); });
  }

  static std::vector<std::vector<std::string>> words(const JoinedClasses& joined) {
    std::vector<std::vector<std::string>> all;
    for (const ClassWords& entry : joined.words) all.push_back(entry.words);
    return all;
  }

  std::vector<DatasetInfo> infos_;
  std::vector<ListedClass> synonyms_;
};

TEST_F(JoinedClassesTest, ASetAloneStaysAsItIs) {
  add("a", {{"sky"}, {"Tree", "tree"}, {"sofa", "couch"}}, {"Tree"});
  const JoinedClasses joined = join();
  EXPECT_EQ(joined.words, infos_[0].words);
  EXPECT_THAT(joined.seen, ElementsAre(true, false, true));
  EXPECT_THAT(joined.of_set, ElementsAre(ElementsAre(0, 1, 2)));
}

TEST_F(JoinedClassesTest, ClassesOfOneWordAreOne) {
  add("a", {{"sky"}, {"sofa", "couch"}});
  add("b", {{"Couch", "settee"}, {"wall"}, {"SKY"}});
  const JoinedClasses joined = join();
  EXPECT_THAT(words(joined), ElementsAre(ElementsAre("sky"), ElementsAre("sofa", "couch", "settee"),
                                         ElementsAre("wall")));
  EXPECT_THAT(joined.of_set, ElementsAre(ElementsAre(0, 1), ElementsAre(1, 2, 0)));
}

TEST_F(JoinedClassesTest, ALaterSetMayJoinTwoOfEarlierOnes) {
  add("a", {{"sofa"}, {"sky"}});
  add("b", {{"couch"}});
  add("c", {{"settee", "couch", "sofa"}});
  const JoinedClasses joined = join();
  EXPECT_THAT(words(joined),
              ElementsAre(ElementsAre("sofa", "couch", "settee"), ElementsAre("sky")));
  EXPECT_THAT(joined.of_set, ElementsAre(ElementsAre(0, 1), ElementsAre(0), ElementsAre(0)));
}

TEST_F(JoinedClassesTest, SynonymsOfTheUserJoin) {
  add("a", {{"tv"}, {"sky"}});
  add("b", {{"tvmonitor"}});
  synonyms_ = {{.words = {"television", "tv", "tvmonitor"}, .where = "list, line 1", .id = {}},
               {.words = {"cup", "mug"}, .where = "list, line 2", .id = {}}};
  const JoinedClasses joined = join();
  EXPECT_THAT(words(joined),
              ElementsAre(ElementsAre("tv", "tvmonitor", "television"), ElementsAre("sky")));
}

TEST_F(JoinedClassesTest, TwoClassesOfASetStayTwo) {
  add("coco", {{"tree"}, {"bush"}});
  add("mine", {{"tree", "bush"}});
  EXPECT_THAT(refusal(), AllOf(HasSubstr("\"tree\" of coco and \"bush\" of coco are two classes"),
                               HasSubstr("make them one: tree, bush")));
  infos_.clear();
  add("mine", {{"tree", "bush"}});
  add("coco", {{"tree"}, {"bush"}});
  EXPECT_THAT(refusal(), HasSubstr("\"tree\" of coco and \"bush\" of coco"));
  infos_.erase(infos_.begin());
  synonyms_ = {{.words = {"bush", "tree"}, .where = "list, line 1", .id = {}}};
  EXPECT_THAT(refusal(), HasSubstr("\"tree\" of coco and \"bush\" of coco"));
}

TEST_F(JoinedClassesTest, WhatIsHiddenOnceIsHiddenEverywhere) {
  add("a", {{"cow"}, {"sky"}}, {"cow"});
  add("b", {{"sky"}, {"cattle", "cow"}});
  const JoinedClasses joined = join();
  EXPECT_THAT(joined.seen, ElementsAre(false, true));
  EXPECT_THAT(joined.seen_in(1), ElementsAre(true, false));
}

TEST_F(JoinedClassesTest, FindsWhatOneSetHidesAndAnotherLabels) {
  add("voc", {{"cow"}, {"sofa"}, {"pottedplant"}, {"train"}},
      {"cow", "sofa", "pottedplant", "train"});
  add("coco", {{"potted plant"}, {"Cow"}, {"couch"}, {"bus"}});
  const auto found = hidden_and_labelled(sets(), synonyms_);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].hidden, "cow");
  EXPECT_EQ(found[0].labelled, "Cow");
  EXPECT_TRUE(found[0].same_word);
  EXPECT_EQ(found[1].labelled, "couch");
  EXPECT_FALSE(found[1].same_word);
  EXPECT_EQ(found[2].labelled, "potted plant");

  add("own", {{"cow"}}, {"cow"});
  infos_.erase(infos_.begin() + 1);
  EXPECT_THAT(hidden_and_labelled(sets(), synonyms_), IsEmpty());
}

LabelSetOptions with_share(std::optional<double> share) {
  return {.name = "", .data = {}, .share = share};
}

TEST(LabelSets, SharesGoByTheRootOfThePhotosUnlessTheyAreGiven) {
  const auto none = with_share({});
  EXPECT_THAT(shares_of({none, none}, {100, 400}),
              ElementsAre(DoubleNear(1. / 3, 1e-12), DoubleNear(2. / 3, 1e-12)));
  EXPECT_THAT(shares_of({none, with_share(0.4), none}, {100, 7, 400}),
              ElementsAre(DoubleNear(0.2, 1e-12), 0.4, DoubleNear(0.4, 1e-12)));
  EXPECT_THAT(shares_of({with_share(0.5), with_share(0.75)}, {1, 1}),
              ElementsAre(DoubleNear(0.4, 1e-12), DoubleNear(0.6, 1e-12)));
  EXPECT_THAT(shares_of({none}, {3}), ElementsAre(1));
  EXPECT_THAT(error_of(ErrorKind::kUsage, [&] { shares_of({none, with_share(1)}, {1, 1}); }),
              HasSubstr("leaves the others nothing"));
}

TEST(LabelSets, NamesTellFoldersApart) {
  EXPECT_THAT(names_of_folders({"data/rooms/", "/x/streets"}), ElementsAre("rooms", "streets"));
  EXPECT_THAT(names_of_folders({"a/set", "b/set", "c"}), ElementsAre("a/set", "b/set", "c"));
  EXPECT_THAT(names_of_folders({"set", "b/set"}), ElementsAre("set", "b/set"));
  EXPECT_THAT(error_of(ErrorKind::kUsage, [] { names_of_folders({"a/set", "a//set/"}); }),
              HasSubstr("a/set is given twice"));
}

TEST(LabelSets, HideWhatIsNamedInNoneOfTheLists) {
  test::DatasetFiles a, b;
  for (const test::DatasetFiles* files : {&a, &b}) {
    files->photo("images/p.png", test::make_photo(4, 4, 1));
    files->labels("labels/p.png", 4, 4, std::vector<uint16_t>(16, 0));
    files->text("train.txt", "p\n");
  }
  a.text("classes.txt", "sky\ncow\n");
  b.text("classes.txt", "road\nsky\nbus\n");
  b.text("unseen.txt", "bus\n");
  const std::vector<LabelSetOptions> options = {{"a", a.options(), {}}, {"b", b.options(), {}}};
  const LabelSets sets(options, "train", {}, "cow, sky");
  EXPECT_THAT(sets.class_names(), ElementsAre("sky", "cow", "road", "bus"));
  EXPECT_THAT(sets.classes().seen, ElementsAre(false, false, true, false));
  EXPECT_THAT(sets[1].seen, ElementsAre(true, false, false));
  EXPECT_EQ(sets.photos(), 2U);
  EXPECT_EQ(sets.photo_name(1, 0), "b/p");
}

}  // namespace
}  // namespace tagclip
