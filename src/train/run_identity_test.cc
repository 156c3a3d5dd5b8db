#include "train/run_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tagclip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

RunIdentity identity() {
  return {.trained_on = {.classes = {"sky", "tree", "cow", "grass"},
                         .seen = {true, true, false, true},
                         .templates = {"a photo of a {}."},
                         .dataset = "folder",
                         .reduce_zero_label = false},
          .photos = {"a", "b", "c"},
          .start = "1234"};
}

TEST(RunIdentity, ComesBackFromACheckpoint) {
  const Checkpoint checkpoint{.path = "file", .metadata = identity().metadata(ModelConfig())};
  EXPECT_TRUE(RunIdentity::stored_in(checkpoint));
  EXPECT_THAT(differences(RunIdentity::read(checkpoint), identity()), IsEmpty());
  EXPECT_FALSE(RunIdentity::stored_in({.path = "old"}));
}

TEST(RunIdentity, NamesClassesThatDiffer) {
  RunIdentity now = identity();
  now.trained_on.classes[3] = "water";
  EXPECT_THAT(differences(identity(), now), ElementsAre("class 3 was grass, is water"));
  std::swap(now.trained_on.classes[0], now.trained_on.classes[1]);
  EXPECT_THAT(differences(identity(), now),
              ElementsAre("class 0 was sky, is tree", "class 1 was tree, is sky",
                          "class 3 was grass, is water"));
  now = identity();
  now.trained_on.seen = {true, false, true, true};
  EXPECT_THAT(differences(identity(), now), ElementsAre("class 1, tree, was seen, is unseen",
                                                        "class 2, cow, was unseen, is seen"));
  now = identity();
  now.trained_on.classes.emplace_back("road");
  EXPECT_THAT(differences(identity(), now), ElementsAre("there were 4 classes, there are 5"));
}

TEST(RunIdentity, NamesSynonymsThatDiffer) {
  RunIdentity now = identity();
  now.trained_on.synonyms = {{}, {}, {"cattle", "ox"}, {}};
  EXPECT_THAT(differences(identity(), now),
              ElementsAre(R"(class 2, cow, had the synonyms "", has "cattle, ox")"));
  const Checkpoint checkpoint{.path = "file", .metadata = now.metadata(ModelConfig())};
  EXPECT_THAT(differences(RunIdentity::read(checkpoint), now), IsEmpty());
}

TEST(RunIdentity, CountsClassesAsTheLabelFilesDo) {
  RunIdentity before = identity(), now = identity();
  now.trained_on.reduce_zero_label = true;
  EXPECT_THAT(differences(before, now), ElementsAre("label 0 was a class, is void"));
  before.trained_on.reduce_zero_label = true;
  now.trained_on.classes[3] = "water";
  EXPECT_THAT(differences(before, now), ElementsAre("class 4 was grass, is water"));
}

TEST(RunIdentity, NamesWhatElseDiffers) {
  RunIdentity now = identity();
  now.photos = {"a", "c"};
  now.trained_on.templates = {"{}"};
  now.start = "5678";
  EXPECT_THAT(differences(identity(), now),
              ElementsAre("prompt template 1 was a photo of a {}., is {}",
                          "the list of training photos is another one: it had 3 photos, has 2; "
                          "line 2 was b, is c",
                          "it began with another trained model"));
}

// Two data sets, the second of which calls the first one's cow cattle.
RunIdentity of_two_sets() {
  RunIdentity two = identity();
  two.trained_on.sets = {{{"sky", "cow"}, {0, 2}, "folder", false},
                         {{"tree", "cattle", "grass"}, {1, 2, 3}, "folder", true}};
  two.photos = {"a of set 1", "a of set 2"};
  two.shares = {0.1, 0.9};
  return two;
}

TEST(RunIdentity, NamesWhatDiffersBetweenSeveralSets) {
  const RunIdentity before = of_two_sets();
  const Checkpoint checkpoint{.path = "file", .metadata = before.metadata(ModelConfig())};
  EXPECT_THAT(differences(RunIdentity::read(checkpoint), before), IsEmpty());
  RunIdentity now = before;
  now.shares = {0.25, 0.75};
  EXPECT_THAT(differences(before, now), ElementsAre("the share of data set 1 was 0.1, is 0.25",
                                                    "the share of data set 2 was 0.9, is 0.75"));
  now = before;
  now.trained_on.sets[1].reduce_zero_label = false;
  EXPECT_THAT(differences(before, now), ElementsAre("label 0 of data set 2 was void, is a class"));
  now = before;
  std::swap(now.trained_on.sets[1].names[0], now.trained_on.sets[1].names[2]);
  EXPECT_THAT(differences(before, now), ElementsAre("of data set 2: class 1 was tree, is grass",
                                                    "of data set 2: class 3 was grass, is tree"));
  EXPECT_THAT(differences(identity(), before),
              ::testing::Contains("there were 1 data set, there are 2"));
}

TEST(RunIdentity, ShowsTheFirstOfManyDifferences) {
  RunIdentity before = identity(), now = identity();
  before.trained_on.classes.assign(9, "old");
  now.trained_on.classes.assign(9, "new");
  const std::vector<std::string> words = differences(before, now);
  EXPECT_EQ(words.size(), 5U);
  EXPECT_EQ(words.back(), "and 5 more");
}

}  // namespace
}  // namespace tagclip
