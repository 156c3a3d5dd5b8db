#include "train/pretrain_batches.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "train/test_pretraining.h"

namespace tagclip {
namespace {

constexpr int64_t kSide = 8;

class PretrainBatchesTest : public ::testing::Test {
 protected:
  // A poodle and a beagle, who are dogs both, and two other photos; each of another grey.
  PretrainBatchesTest() {
    config_.batch = 4;
    config_.clip.vocabulary = 600;
    config_.clip.context = 64;
    config_.clip.patch = 4;
    config_.shards = {files_.shard("a.tar", {{"poodle", 50, "poodle\ndog"},
                                             {"beagle", 100, "beagle\ndog"},
                                             {"cat", 150, "cat"},
                                             {"walk", 200, "a man takes his dog for a walk"}})};
  }

  PretrainBatch batch(const PretrainConfig& config, int64_t step) const {
    const PretrainSources sources(config);
    return PretrainBatches(config, sources).batch(step, kSide);
  }

  // Makes the config one of two sources: the shard, and a set of two photos, each with grass (0) on
  // its left and sky (1) on its right; kite (2) between them on the first.
  void add_set() {
    files_.text("set/classes.txt", "grass, lawn\nsky\nkite\n");
    files_.text("set/train.txt", "1\n2\n");
    files_.photo("set/images/1.png", 8, 8, 10);
    files_.photo("set/images/2.png", 8, 8, 20);
    files_.labels("set/labels/1.png", 8, 8, {0, 0, 2, 2, 2, 2, 1, 1});
    files_.labels("set/labels/2.png", 8, 8, {0, 0, 255, 255, 1, 1, 1, 1});
    config_.sources = {{.name = "a", .shards = config_.shards, .key_prefix = "x/"},
                       {.name = "b", .data = {.folder = files_.path("set")}, .key_prefix = "set/"}};
    config_.sources[0].share = 4.0 / 6;
    config_.batch = 6;  // all four photos of the shard, both of the set
    config_.shards.clear();
    config_.loss.labels = 1;
  }

  void add_names() {
    files_.text("names.txt", "poodle, dog\nbeagle, dog\ncat\nkite, toy\n");
    files_.text("soft.tsv", "x/poodle\t0:0.6 1:0.2\nset/1\t3:1\n");
    config_.names.list = files_.path("names.txt");
    config_.names.soft = files_.path("soft.tsv");
    config_.loss.names = 1;
  }

  test::PretrainFiles files_;
  PretrainConfig config_;
};

// Returns the photo in each slot, told by its grey.
std::vector<int> slots(const PretrainBatch& batch) {
  std::vector<int> result;
  for (int64_t b = 0; b < batch.pixels.size(0); ++b) {
    const double grey = 255 * (0.485 + 0.229 * batch.pixels[b][0].mean().item<double>());
    result.push_back(static_cast<int>(std::lround(grey / 50)) - 1);
  }
  return result;
}

TEST_F(PretrainBatchesTest, ATextMatchesEveryPhotoItIsACaptionOf) {
  config_.template_probability = 1;  // what a caption is put in changes nothing
  bool shared = false;
  for (int64_t step = 0; step < 8; ++step) {
    const PretrainBatch drawn = batch(config_, step);
    const std::vector<int> photo = slots(drawn);
    for (int64_t i = 0; i < 4; ++i) {
      for (int64_t j = 0; j < 4; ++j) {
        const bool match = drawn.matches[i][j].item<bool>();
        const bool both_dogs = photo[i] < 2 && photo[j] < 2;
        EXPECT_TRUE(match || i != j);
        EXPECT_TRUE(!match || i == j || both_dogs);
        shared |= match && i != j;
      }
    }
  }
  EXPECT_TRUE(shared) << "\"dog\" was never drawn";
}

TEST_F(PretrainBatchesTest, ColoursAreDistortedWhenAsked) {
  const PretrainBatch plain = batch(config_, 3);
  config_.photometric = true;
  const PretrainBatch distorted = batch(config_, 3);
  EXPECT_FALSE(plain.pixels.equal(distorted.pixels));
  EXPECT_TRUE(plain.captions.equal(distorted.captions));
}

TEST_F(PretrainBatchesTest, ABatchDependsOnSeedAndStep) {
  add_set();
  add_names();
  const PretrainBatch first = batch(config_, 5), again = batch(config_, 5);
  EXPECT_TRUE(first.captions.equal(again.captions));
  EXPECT_TRUE(first.words.equal(again.words));
  EXPECT_TRUE(first.sets[0].targets.equal(again.sets[0].targets));
  config_.seed = 2;
  EXPECT_FALSE(first.pixels.equal(batch(config_, 5).pixels));
}

TEST_F(PretrainBatchesTest, ThreadsThatMakeTheNextBatchChangeNothing) {
  add_set();
  add_names();
  config_.steps = 5;
  config_.cache = 0;
  const PretrainSources sources(config_);
  const PretrainBatches batches(config_, sources);
  for (const int64_t workers : {0, 3}) {
    config_.workers = workers;
    PretrainLoader loader(config_, batches, 2);
    for (int64_t step = 2; step < 5; ++step) {
      const PretrainBatch expected = batches.batch(step, config_.side(step)), drawn = loader.next();
      EXPECT_TRUE(drawn.pixels.equal(expected.pixels));
      EXPECT_TRUE(drawn.words.equal(expected.words));
    }
  }
}

TEST_F(PretrainBatchesTest, PhotosKeepTheirPlaceWhereTheyLackCaptions) {
  add_set();
  config_.batch = 3;
  config_.sources[0].share = 0.7;
  const PretrainBatch drawn = batch(config_, 0);
  EXPECT_TRUE(drawn.captioned.equal(at::tensor({0, 1}, at::kLong)));
  EXPECT_EQ(drawn.captions.size(0), 2);
  EXPECT_EQ(drawn.labelled, std::vector<int64_t>{2});
}

TEST_F(PretrainBatchesTest, LabelsBecomeSharesOfPatches) {
  add_set();
  config_.min_crop = 1;  // of ratio 3:4 to 4:3 all the same
  const PretrainBatch drawn = batch(config_, 0);
  ASSERT_EQ(drawn.sets.size(), 1u);
  const LabelledPatches& set = drawn.sets[0];
  EXPECT_EQ(set.words.size(0), 3);
  ASSERT_EQ(set.targets.sizes(), (at::IntArrayRef{2, 4, 3}));
  // All is labelled in photo 1, three quarters of photo 2 are; all rows of the labels are equal.
  const at::Tensor labelled = set.targets.sum({1, 2});
  const at::Tensor top = set.targets.narrow(1, 0, 2), bottom = set.targets.narrow(1, 2, 2);
  EXPECT_TRUE(at::allclose(top, bottom));
  const double most = labelled.max().item<double>(), least = labelled.min().item<double>();
  EXPECT_NEAR(most, 4, 1e-5);
  EXPECT_LT(least, 4);
  EXPECT_GT(least, 1);
  EXPECT_GT(set.targets.select(2, 2).sum().item<double>(), 0) << "the kite";
}

// 32 pixels are grass, 48 sky, 32 kite; each counts one more.
TEST_F(PretrainBatchesTest, RareLabelsAreRaised) {
  add_set();
  EXPECT_FALSE(batch(config_, 0).sets[0].priors.defined());
  config_.loss.label_balance = 0.5;
  const at::Tensor shares = at::tensor({33.0F, 49.0F, 33.0F}) / 115;
  EXPECT_TRUE(at::allclose(batch(config_, 0).sets[0].priors, 0.5 * shares.log()));
}

TEST_F(PretrainBatchesTest, LabelsOfHiddenClassesAreVoidAndTheirWordsNoAnswers) {
  add_set();
  config_.sources[1].data.unseen = "kite";
  const PretrainBatch drawn = batch(config_, 0);
  EXPECT_EQ(drawn.sets[0].words.size(0), 2);
  EXPECT_LT(drawn.sets[0].targets.sum({1, 2}).max().item<double>(), 4 - 1e-3);
}

TEST_F(PretrainBatchesTest, ManyWordsOfASetAreDrawnFrom) {
  add_set();
  std::string words = "grass\nsky\nkite\n";
  for (int i = 0; i < 20; ++i) words += "thing " + std::to_string(i) + "\n";
  files_.text("set/classes.txt", words);
  config_.label_words = 5;
  config_.template_probability = 0;
  std::set<std::string> drawn_words;
  const PretrainSources sources(config_);
  const PretrainBatches batches(config_, sources);
  for (int64_t step = 0; step < 6; ++step) {
    const PretrainBatch drawn = batches.batch(step, kSide);
    ASSERT_EQ(drawn.sets[0].words.size(0), 5);
    EXPECT_GT(drawn.sets[0].targets.sum().item<double>(), 4) << "what is there is among them";
    for (int64_t w = 0; w < drawn.words.size(0); ++w) {
      drawn_words.insert(std::to_string(drawn.words[w].sum().item<int64_t>()));
    }
  }
  EXPECT_GT(drawn_words.size(), 5u);
}

// What a photo's names are told apart from, by the tokens of their texts.
double target_of(const PretrainBatch& batch, int64_t photo, const std::string& word) {
  const TokenizedText tokens = Tokenizer(600).tokenize(word, 64);
  double sum = 0;
  for (int64_t n = 0; n < batch.names.size(0); ++n) {
    const at::Tensor text = batch.words[batch.names[n].item<int64_t>()];
    if (text.equal(at::tensor(tokens.ids, at::kLong))) {
      sum += batch.name_targets[photo][n].item<double>();
    }
  }
  return sum;
}

TEST_F(PretrainBatchesTest, NamesThatAreCalledAlikeShareAText) {
  add_set();
  add_names();
  config_.template_probability = 0;
  config_.names.plain_probability = 1;
  const PretrainBatch plain = batch(config_, 0);
  EXPECT_EQ(plain.names.size(0), 3);  // dog, cat, toy
  ASSERT_EQ(plain.named.size(0), 2);  // the poodle and photo 1 of the set
  // Missing: 0.2, which cat and toy share.
  EXPECT_NEAR(target_of(plain, 0, "dog"), 0.8, 1e-6);
  EXPECT_NEAR(target_of(plain, 0, "cat"), 0.1, 1e-6);
  EXPECT_NEAR(target_of(plain, 1, "toy"), 1, 1e-6);

  config_.names.plain_probability = 0;
  const PretrainBatch exact = batch(config_, 0);
  EXPECT_EQ(exact.names.size(0), 4);
  EXPECT_NEAR(target_of(exact, 0, "poodle"), 0.6, 1e-6);
  EXPECT_NEAR(target_of(exact, 0, "beagle"), 0.2, 1e-6);
  EXPECT_NEAR(target_of(exact, 1, "kite"), 1, 1e-6);
}

TEST_F(PretrainBatchesTest, AStepComparesWithTheLikeliestNamesAndOthers) {
  add_set();
  add_names();
  std::string names;
  for (int i = 0; i < 40; ++i) names += "name" + std::to_string(i) + "\n";
  files_.text("names.txt", names);
  files_.text("soft.tsv", "x/poodle\t7:0.5 8:0.1\nx/cat\t30:0.9\n");
  config_.names.per_step = 4;
  config_.template_probability = 0;
  std::set<std::string> others;
  for (int64_t step = 0; step < 5; ++step) {
    const PretrainBatch drawn = batch(config_, step);
    ASSERT_EQ(drawn.names.size(0), 4);
    const at::Tensor total = drawn.name_targets.sum(1);
    EXPECT_NEAR(target_of(drawn, 0, "name7") + target_of(drawn, 1, "name7"), 0.5, 0.02);
    EXPECT_NEAR(target_of(drawn, 0, "name30") + target_of(drawn, 1, "name30"), 0.9, 0.02);
    EXPECT_LT(total.max().item<double>(), 0.92);
    others.insert(std::to_string(drawn.words.sum().item<int64_t>()));
  }
  EXPECT_GT(others.size(), 1u);
}

}  // namespace
}  // namespace tagclip
