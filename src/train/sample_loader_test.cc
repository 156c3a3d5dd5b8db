#include "train/sample_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/labels.h"
#include "image/palette.h"
#include "image/png.h"
#include "support/test_dir.h"

namespace tagclip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Three classes side by side in every photo, "b" unseen, the right edge void.
class SampleLoaderTest : public ::testing::Test {
 protected:
  SampleLoaderTest() {
    std::filesystem::create_directory(dir_ / "images");
    std::filesystem::create_directory(dir_ / "labels");
    std::string names;
    for (int i = 0; i < 5; ++i) {
      Image image{40, 30, std::vector<uint8_t>(40 * 30 * 3, static_cast<uint8_t>(50 * i))};
      LabelMap labels{40, 30, {}};
      for (int p = 0; p < 40 * 30; ++p)
        labels.labels.push_back(p % 40 >= 36 ? kIgnoreIndex : p % 40 / 12);
      const std::string name = "p" + std::to_string(i);
      write_png(dir_ / "images" / (name + ".png"), image);
      write_label_map(dir_ / "labels" / (name + ".png"), labels, voc_palette(3));
      names += name + "\n";
    }
    write_file(dir_ / "train.txt", names);
    write_file(dir_ / "classes.txt", "a\nb\nc\n");
    write_file(dir_ / "unseen.txt", "b\n");
    config_.batch = 4;
    config_.augment = {.long_side = 64, .short_side = 32, .crop_size = 24, .photometric = false};
  }

  LabelSets sets(const std::string& unseen = "") const {
    return {
        {{.name = "set", .data = {.folder = dir_.path().string(), .unseen = unseen}, .share = {}}},
        "train"};
  }

  std::vector<LabelledBatch> load(const LoaderOptions& options) {
    const LabelSets data = sets();
    TrainingSamples samples(config_, data);
    SampleLoader loader(samples, options);
    std::vector<LabelledBatch> batches;
    for (int64_t i = options.first; i < options.last; ++i) batches.push_back(loader.next());
    for (std::string& warning : samples.take_warnings()) warnings_.push_back(warning);
    return batches;
  }

  static void expect_same(const LabelledBatch& a, const LabelledBatch& b) {
    EXPECT_EQ(a.iteration, b.iteration);
    EXPECT_EQ(a.images, b.images);
    EXPECT_TRUE(a.pixels.equal(b.pixels));
    EXPECT_TRUE(a.labels.equal(b.labels));
  }

  TestDir dir_;
  TrainConfig config_;
  std::vector<std::string> warnings_;
};

TEST_F(SampleLoaderTest, BatchesHoldStoredClasses) {
  const LabelledBatch batch = load({.last = 1})[0];
  EXPECT_EQ(batch.pixels.sizes(), (std::vector<int64_t>{4, 3, 24, 24}));
  EXPECT_TRUE(batch.labels.eq(1).any().item<bool>());  // the step decides what is hidden
  EXPECT_TRUE((batch.labels.le(2) | batch.labels.eq(255)).all().item<bool>());
}

TEST_F(SampleLoaderTest, LabelsBeyond255StayWhatTheyAre) {
  std::string names;
  for (int c = 0; c < 300; ++c) names += "class " + std::to_string(c) + "\n";
  write_file(dir_ / "classes.txt", names);
  write_file(dir_ / "unseen.txt", "class 1\n");
  for (int i = 0; i < 5; ++i) {
    LabelMap labels{40, 30, {}};
    for (int p = 0; p < 40 * 30; ++p) {
      labels.labels.push_back(p % 40 >= 36 ? kIgnoreIndex : 255 + p % 40 % 2 * 44);
    }
    write_label_map(dir_ / "labels" / ("p" + std::to_string(i) + ".png"), labels, voc_palette(300));
  }
  const at::Tensor labels = load({.last = 1})[0].labels;
  EXPECT_TRUE(labels.eq(255).any().item<bool>());
  EXPECT_TRUE(labels.eq(299).any().item<bool>());
  EXPECT_TRUE((labels.eq(255) | labels.eq(299) | labels.eq(300)).all().item<bool>());
}

TEST_F(SampleLoaderTest, TheNumberOfWorkersChangesNothing) {
  const auto plain = load({.last = 7});
  EXPECT_FALSE(plain[0].pixels.equal(plain[1].pixels));
  for (int64_t workers : {1, 3, 8}) {
    for (int64_t prefetch : {1, 3}) {
      const auto threaded = load({.last = 7, .workers = workers, .prefetch = prefetch});
      for (size_t i = 0; i < plain.size(); ++i) expect_same(plain[i], threaded[i]);
    }
  }
}

TEST_F(SampleLoaderTest, ABatchDependsOnSeedAndIterationAlone) {
  const auto later = load({.first = 5, .last = 7, .workers = 2});
  expect_same(load({.last = 7})[5], later[0]);
  config_.seed = 2;
  EXPECT_FALSE(load({.first = 5, .last = 6})[0].pixels.equal(later[0].pixels));
}

TEST_F(SampleLoaderTest, RanksShareABatch) {
  const LabelledBatch whole = load({.last = 1})[0];
  for (int64_t rank : {0, 1}) {
    const LabelledBatch part = load({.last = 1, .share = {rank, 2}, .workers = 2})[0];
    EXPECT_TRUE(part.pixels.equal(whole.pixels.narrow(0, 2 * rank, 2)));
    EXPECT_TRUE(part.labels.equal(whole.labels.narrow(0, 2 * rank, 2)));
  }
}

TEST_F(SampleLoaderTest, UnseenPixelsAreNeverRead) {
  config_.trusty_source = TrustySource::kHeldOutSeen;
  const auto batches = load({.last = 3});
  EXPECT_FALSE(batches[0].labels.eq(1).any().item<bool>());
  // The crops and labels are the same, whatever stands where "b" is.
  for (int i = 0; i < 5; ++i) {
    LabelMap labels = read_label_map(dir_ / "labels" / ("p" + std::to_string(i) + ".png"));
    for (size_t p = 0; p < labels.labels.size(); ++p) {
      if (labels.labels[p] == 1 && p % 3 != 0) labels.labels[p] = kIgnoreIndex;
    }
    write_label_map(dir_ / "labels" / ("p" + std::to_string(i) + ".png"), labels, voc_palette(3));
  }
  const auto scrambled = load({.last = 3});
  for (size_t i = 0; i < batches.size(); ++i) expect_same(batches[i], scrambled[i]);
}

TEST_F(SampleLoaderTest, ABadImageFailsTheRunOrIsSkipped) {
  write_file(dir_ / "images" / "p2.png", "no picture");
  for (int64_t workers : {0, 2}) {
    EXPECT_THROW(load({.last = 3, .workers = workers}), Error) << workers << " workers";
  }
  config_.bad_photos = BadImagePolicy::kSkip;
  const auto plain = load({.last = 5});
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("p2.png"))) << "each image is named once";
  const auto threaded = load({.last = 5, .workers = 3});
  for (size_t i = 0; i < plain.size(); ++i) expect_same(plain[i], threaded[i]);
}

TEST_F(SampleLoaderTest, SkippingEndsWhenNoImageIsGood) {
  for (int i = 0; i < 5; ++i) {
    write_file(dir_ / "images" / ("p" + std::to_string(i) + ".png"), "no picture");
  }
  config_.bad_photos = BadImagePolicy::kSkip;
  EXPECT_THROW(load({.last = 1, .workers = 2}), Error);
}

TEST_F(SampleLoaderTest, ReusesTheMemoryOfReleasedBatches) {
  const LabelSets data = sets();
  const TrainingSamples samples(config_, data);
  SampleLoader loader(samples, {.last = 100, .workers = 2, .prefetch = 1});
  std::set<const void*> pages;
  for (int i = 0; i < 20; ++i) pages.insert(loader.next().pixels.const_data_ptr());
  EXPECT_LE(pages.size(), 3u);
  const LabelledBatch kept = loader.next();
  const at::Tensor before = kept.pixels.clone(), view = kept.pixels[0];
  for (int i = 0; i < 20; ++i) loader.next();
  EXPECT_TRUE(kept.pixels.equal(before)) << "a batch in use was written over";
}

TEST_F(SampleLoaderTest, SelfTrainingNeedsUnseenClasses) {
  config_.setting = Setting::kTransductive;
  load({.last = 1});
  const LabelSets all_seen = sets("none");
  EXPECT_THROW(TrainingSamples(config_, all_seen), Error);
}

TEST_F(SampleLoaderTest, MayBeDestroyedBeforeTheLastBatch) {
  const LabelSets data = sets();
  const TrainingSamples samples(config_, data);
  SampleLoader loader(samples, {.last = 100, .workers = 3});
  loader.next();
}

// A second data set of dark photos whose classes are "c" and "d", and no "b".
class SetsTest : public SampleLoaderTest {
 protected:
  SetsTest() {
    std::string names;
    std::filesystem::create_directories(other_ / "images");
    std::filesystem::create_directories(other_ / "labels");
    for (int i = 0; i < 20; ++i) {
      const std::string name = "q" + std::to_string(i);
      write_png(other_ / "images" / (name + ".png"),
                {40, 30, std::vector<uint8_t>(40 * 30 * 3, static_cast<uint8_t>(10 * i))});
      LabelMap labels{40, 30, std::vector<uint16_t>(40 * 30)};
      for (int p = 0; p < 40 * 30; ++p) labels.labels[p] = p % 40 < 20 ? 0 : 1;
      write_label_map(other_ / "labels" / (name + ".png"), labels, voc_palette(2));
      names += name + "\n";
    }
    write_file(other_ / "train.txt", names);
    write_file(other_ / "classes.txt", "c\nd\n");
    config_.schedule.iterations = 300;
  }

  LabelSets both(std::optional<double> share = {}) const {
    return {{{.name = "set", .data = {.folder = dir_.path().string()}, .share = {}},
             {.name = "other", .data = {.folder = other_.path().string()}, .share = share}},
            "train"};
  }

  TestDir other_;
};

TEST_F(SetsTest, AStepIsOfOneSetByItsShare) {
  const LabelSets data = both();  // 5 and 20 photos: a third and two thirds
  const TrainingSamples samples(config_, data);
  int64_t of_other = 0;
  for (int64_t i = 0; i < 300; ++i) {
    of_other += static_cast<int64_t>(samples.set_of(i));
    for (const int64_t image : samples.images(i)) EXPECT_LT(image, samples.set_of(i) == 0 ? 5 : 20);
  }
  EXPECT_NEAR(static_cast<double>(of_other), 200, 25);
  const LabelSets rarely = both(0.05);
  const TrainingSamples few(config_, rarely);
  of_other = 0;
  for (int64_t i = 0; i < 300; ++i) of_other += static_cast<int64_t>(few.set_of(i));
  EXPECT_NEAR(static_cast<double>(of_other), 15, 12);
}

TEST_F(SetsTest, EveryPhotoOfASetComesOnceAnEpochOfTheSet) {
  const LabelSets data = both();
  const TrainingSamples samples(config_, data);
  std::multiset<int64_t> seen;
  for (int64_t i = 0; seen.size() < 20; ++i) {
    if (samples.set_of(i) == 0) continue;
    for (const int64_t image : samples.images(i)) seen.insert(image);
  }
  EXPECT_EQ(std::set<int64_t>(seen.begin(), seen.end()).size(), 20U);
}

TEST_F(SetsTest, LabelsAreOfTheStepsOwnSet) {
  const LabelSets data = both();
  const TrainingSamples samples(config_, data);
  SampleLoader loader(samples, {.last = 20, .workers = 2});
  std::set<size_t> sets;
  for (int64_t i = 0; i < 20; ++i) {
    const LabelledBatch batch = loader.next();
    EXPECT_EQ(batch.set, samples.set_of(i));
    sets.insert(batch.set);
    const at::Tensor has_third = batch.labels.eq(2).any();
    EXPECT_EQ(has_third.item<bool>(), batch.set == 0);
  }
  EXPECT_EQ(sets.size(), 2U);
}

TEST_F(SetsTest, ALongerRunBeginsAsAShorterOneAndAllRanksDrawTheSameSet) {
  const LabelSets data = both();
  const TrainingSamples shorter(config_, data);
  config_.schedule.iterations = 900;
  const TrainingSamples longer(config_, data);
  for (int64_t i = 0; i < 300; ++i) {
    EXPECT_EQ(shorter.set_of(i), longer.set_of(i));
    EXPECT_EQ(shorter.images(i), longer.images(i));
  }
  SampleLoader whole(longer, {.last = 3});
  SampleLoader second(longer, {.last = 3, .share = {1, 2}});
  for (int64_t i = 0; i < 3; ++i) {
    const LabelledBatch all = whole.next(), half = second.next();
    EXPECT_EQ(all.set, half.set);
    EXPECT_TRUE(half.pixels.equal(all.pixels.narrow(0, 2, 2)));
  }
}

TEST_F(SetsTest, ASetWithoutASeenClassIsRefused) {
  write_file(other_ / "unseen.txt", "c\nd\n");
  const LabelSets data = both();
  EXPECT_THROW(TrainingSamples(config_, data), Error);
  config_.setting = Setting::kSupervised;
  const TrainingSamples samples(config_, data);
}

}  // namespace
}  // namespace tagclip
