#include "train/pretrain_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "train/test_pretraining.h"

namespace tagclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PretrainSourcesTest : public ::testing::Test {
 protected:
  PretrainSourcesTest() {
    files_.text("set/classes.txt", "grass\nsky\n");
    files_.text("set/train.txt", "1\n2\n");
    files_.text("set/captions.tsv", "2\ta lawn\ta meadow\n7\tof another split\n");
    for (const char* name : {"1", "2"}) {
      files_.photo(std::string("set/images/") + name + ".png", 4, 2, 10);
      files_.labels(std::string("set/labels/") + name + ".png", 4, 2, {0, 0, 1, 255});
    }
    config_.batch = 8;
    config_.loss.labels = 1;
    config_.sources = {
        {.name = "a",
         .shards = {files_.shard("a.tar",
                                 {{"tin_1", 1, "cat"}, {"f8k_1", 2, "dog"}, {"voc_1", 3, "cow"}})},
         .keys = {"tin_", "voc_"}},
        {.name = "b", .data = {.folder = files_.path("set")}}};
  }

  std::string refused(ErrorKind kind = ErrorKind::kBadInput) const {
    try {
      PretrainSources sources(config_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      return error.what();
    }
    ADD_FAILURE() << "the sources were accepted";
    return {};
  }

  test::PretrainFiles files_;
  PretrainConfig config_;
};

TEST_F(PretrainSourcesTest, TakesThePhotosWhoseKeysBeginAsAsked) {
  const PretrainSources sources(config_);
  ASSERT_EQ(sources.all()[0].photos.size(), 2u);
  EXPECT_EQ(sources.all()[0].photos[0].key, "tin_1");
  EXPECT_EQ(sources.all()[0].photos[1].key, "voc_1");
  config_.sources[0].keys = {"nyu_"};
  EXPECT_THAT(refused(), HasSubstr("source.a: no photo has a key that begins with one of [\"nyu_"));
}

TEST_F(PretrainSourcesTest, ReadsTheCaptionsBesideASet) {
  const PretrainSources sources(config_);
  const std::vector<PretrainPhoto>& photos = sources.all()[1].photos;
  ASSERT_EQ(photos.size(), 2u);
  EXPECT_TRUE(photos[0].captions.empty());
  EXPECT_THAT(photos[1].captions, ElementsAre("a lawn", "a meadow"));
  files_.text("set/captions.tsv", "images/2.png\ta lawn\n");
  EXPECT_THAT(refused(), HasSubstr("captions.tsv: no line is about a photo of the split train"));
}

TEST_F(PretrainSourcesTest, LeavesOutWhatNoLossCanUse) {
  config_.loss.labels = 0;
  const PretrainSources sources(config_);
  EXPECT_EQ(sources.all()[1].photos.size(), 1u);
  EXPECT_EQ(sources.all()[1].unused, 1);
  config_.loss.contrastive = 0;
  config_.loss.labels = 1;
  EXPECT_THAT(refused(), HasSubstr("source.a: no loss can use one of its photos"));
}

TEST_F(PretrainSourcesTest, NamesBelongToKeysWithAPrefix) {
  config_.loss.names = 1;
  config_.names = {.list = files_.path("names.txt"), .soft = files_.path("soft.tsv")};
  files_.text("names.txt", "cat\ndog\n");
  files_.text("soft.tsv", "x/tin_1\t0:0.9\ny/2\t1:0.5\n");
  EXPECT_THAT(refused(), HasSubstr("soft.tsv: no line is about a photo of a source; the first one "
                                   "would be tin_1"));
  config_.sources[0].key_prefix = "x/";
  config_.sources[1].key_prefix = "y/";
  const PretrainSources sources(config_);
  EXPECT_EQ(sources.all()[0].photos[0].names.size(), 1u);
  EXPECT_TRUE(sources.all()[0].photos[1].names.empty());
  EXPECT_EQ(sources.all()[1].photos[1].names[0].name, 1);
}

TEST_F(PretrainSourcesTest, LeavesOutUnseenNames) {
  config_.loss.names = 1;
  config_.names = {
      .list = files_.path("names.txt"), .soft = files_.path("soft.tsv"), .unseen = {"cat"}};
  files_.text("names.txt", "tabby, cat\ndog\ncow\n");
  files_.text("soft.tsv", "tin_1\t0:0.25 1:0.5\nvoc_1\t0:0.5 2:0.25\n");
  const PretrainSources sources(config_);
  ASSERT_EQ(sources.names().size(), 2u);
  EXPECT_THAT(sources.names()[0].words, ElementsAre("dog"));
  const std::vector<PretrainPhoto>& photos = sources.all()[0].photos;
  ASSERT_EQ(photos[0].names.size(), 1u);
  EXPECT_EQ(photos[0].names[0].name, 0);
  EXPECT_FLOAT_EQ(photos[0].names[0].probability, 0.75f);
  EXPECT_TRUE(photos[1].names.empty());
  config_.names.unseen = {"cat", "boat"};
  EXPECT_THAT(refused(), HasSubstr("names.txt has no name \"boat\""));
  config_.names.unseen = {"cat", "dog"};
  EXPECT_THAT(refused(), HasSubstr("names.txt has one name to learn"));
}

TEST_F(PretrainSourcesTest, KeepsDecodedPhotosWithinTheCache) {
  const auto twice = [&] {
    const PretrainSources sources(config_);
    const PretrainPhotos& set = sources.all()[1];
    return std::pair(sources.read(set, 0), sources.read(set, 0));
  };
  const auto [first, kept] = twice();
  EXPECT_EQ(first, kept);
  EXPECT_THAT(first->labels.labels, ElementsAre(0, 0, 1, kIgnoreIndex, 0, 0, 1, kIgnoreIndex));
  config_.cache = 0;
  const auto [read, again] = twice();
  EXPECT_NE(read, again);
  EXPECT_EQ(read->image.pixels, again->image.pixels);
}

TEST_F(PretrainSourcesTest, KnowsWhatARunLearnsFrom) {
  const auto identity = [&] { return PretrainSources(config_).fingerprint(); };
  const std::string first = identity();
  EXPECT_EQ(identity(), first);
  files_.text("set/captions.tsv", "2\ta lawn\n");
  const std::string other_caption = identity();
  EXPECT_NE(other_caption, first);
  files_.text("set/classes.txt", "meadow\nsky\n");
  EXPECT_NE(identity(), other_caption);
  files_.text("set/classes.txt", "grass\nsky\n");
  EXPECT_EQ(identity(), other_caption);
  config_.sources[0].keys = {};
  EXPECT_NE(identity(), other_caption);
}

TEST(SlotsOfSources, FollowShares) {
  const auto slots = [](const std::vector<std::optional<double>>& shares,
                        const std::vector<int64_t>& photos, int64_t batch) {
    std::vector<PretrainSource> sources;
    for (const std::optional<double>& share : shares) sources.push_back({.share = share});
    return slots_of_sources(sources, photos, batch);
  };
  EXPECT_THAT(slots({{}, {}}, {300, 100}, 8), ElementsAre(6, 2));
  EXPECT_THAT(slots({0.25, {}, {}}, {5, 300, 100}, 16), ElementsAre(4, 9, 3));
  EXPECT_THAT(slots({1, 3}, {5, 5}, 8), ElementsAre(2, 6));
  EXPECT_THAT(slots({{}, {}, {}}, {100000, 1, 1}, 8), ElementsAre(6, 1, 1));
  EXPECT_THAT(slots({{}}, {3}, 8), ElementsAre(8));
  EXPECT_THROW(slots({1, {}}, {5, 5}, 8), Error);
  EXPECT_THROW(slots({{}, {}, {}}, {5, 5, 5}, 2), Error);
}

}  // namespace
}  // namespace tagclip
