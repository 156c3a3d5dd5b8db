#include "train/sample_batches.h"

#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "base/test_dir.h"

namespace tagclip {
namespace {

// Three classes side by side in every photo, "b" unseen, the right edge void.
class SampleBatchesTest : public ::testing::Test {
 protected:
  SampleBatchesTest() {
    std::filesystem::create_directory(dir_ / "images");
    std::filesystem::create_directory(dir_ / "labels");
    std::string names;
    for (int i = 0; i < 3; ++i) {
      Image image{40, 30, std::vector<uint8_t>(40 * 30 * 3, static_cast<uint8_t>(50 * i))};
      LabelMap labels{40, 30, {}};
      for (int p = 0; p < 40 * 30; ++p)
        labels.labels.push_back(p % 40 >= 36 ? kIgnore : p % 40 / 12);
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

  TestDir dir_;
  TrainConfig config_;
};

TEST_F(SampleBatchesTest, InductiveHidesUnseenClassesAndRenumbersTheRest) {
  const FolderDataset data(dir_.path(), "train");
  const SampleBatches batches(config_, data);
  EXPECT_EQ(batches.training_classes(), (std::vector<int64_t>{0, 2}));
  const SampleBatch batch = batches.batch(0);
  EXPECT_EQ(batch.pixels.sizes(), (std::vector<int64_t>{4, 3, 24, 24}));
  const at::Tensor &labels = batch.targets.labels, &familiar = batch.targets.familiar;
  EXPECT_EQ(labels.max().item<int64_t>(), 1);   // c became 1
  EXPECT_EQ(labels.min().item<int64_t>(), -1);  // b and void are ignored
  // Seen pixels carry a label, unseen and void ones do not.
  EXPECT_TRUE(labels.ge(0).eq(familiar.eq(1)).all().item<bool>());
  EXPECT_TRUE(familiar.eq(0).any().item<bool>());
}

TEST_F(SampleBatchesTest, SupervisedHidesNothing) {
  config_.setting = Setting::kSupervised;
  const FolderDataset data(dir_.path(), "train");
  const SampleBatches batches(config_, data);
  EXPECT_EQ(batches.training_classes(), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(batches.batch(0).targets.labels.max().item<int64_t>(), 2);
}

TEST_F(SampleBatchesTest, ABatchDependsOnSeedAndIterationAlone) {
  const FolderDataset data(dir_.path(), "train");
  const SampleBatch first = SampleBatches(config_, data).batch(5);
  const SampleBatch again = SampleBatches(config_, data).batch(5);
  EXPECT_TRUE(first.pixels.equal(again.pixels));
  EXPECT_TRUE(first.targets.labels.equal(again.targets.labels));
  EXPECT_FALSE(first.pixels.equal(SampleBatches(config_, data).batch(6).pixels));
}

TEST_F(SampleBatchesTest, MemoryIsLentAgainOnceNobodyHoldsIt) {
  const FolderDataset data(dir_.path(), "train");
  const SampleBatches batches(config_, data);
  SampleBatch first = batches.batch(1);
  const void* memory = first.pixels.const_data_ptr();
  const at::Tensor view = first.pixels.select(0, 2), before = view.clone();
  const SampleBatch second = batches.batch(2);
  EXPECT_NE(second.pixels.const_data_ptr(), memory);
  first = {};
  EXPECT_NE(batches.batch(3).pixels.const_data_ptr(), memory) << "a view is held";
  EXPECT_TRUE(view.equal(before));
}

TEST_F(SampleBatchesTest, OneBatchAfterAnotherNeedsTheMemoryOfOne) {
  const FolderDataset data(dir_.path(), "train");
  const SampleBatches batches(config_, data);
  const void* memory = batches.batch(1).pixels.const_data_ptr();
  EXPECT_EQ(batches.batch(2).pixels.const_data_ptr(), memory);
  // What an earlier batch held shines through nowhere.
  EXPECT_TRUE(batches.batch(5).pixels.equal(SampleBatches(config_, data).batch(5).pixels));
}

}  // namespace
}  // namespace tagclip
