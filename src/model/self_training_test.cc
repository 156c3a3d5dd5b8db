#include "model/self_training.h"

#include <gtest/gtest.h>

#include "clip/test_golden.h"

namespace tagclip {
namespace {

class SelfTraining : public ::testing::Test {
 protected:
  at::Tensor map(const char* name) const { return file[name].to(at::kLong).squeeze(1); }
  at::Tensor relabelled(const at::Tensor& labels) const {
    return self_training_labels(file["in.logits"], labels, file["in.unseen_idx"]);
  }

  const GoldenFile file{"self_training.safetensors"};
  const at::Tensor unseen = at::isin(map("in.label"), file["in.unseen_idx"]);
};

TEST_F(SelfTraining, PseudoLabelsOfUnseenPixels) {
  const at::Tensor hidden = map("in.label").masked_fill(unseen, kHidden);
  EXPECT_TRUE(hidden.equal(map("zegclip_released.masked")));
  EXPECT_TRUE(relabelled(hidden).equal(map("zegclip_released.relabelled")));
}

TEST_F(SelfTraining, PseudoLabelsWhereNothingIsKnown) {
  const at::Tensor labels = map("in.label");
  const at::Tensor hidden = labels.masked_fill(unseen.logical_or(labels.eq(255)), kHidden);
  EXPECT_TRUE(relabelled(hidden).equal(map("intended_unseen_and_ignored.relabelled")));
}

TEST_F(SelfTraining, PseudoLabelsOfEveryPixel) {
  EXPECT_TRUE(relabelled(at::full_like(map("in.label"), kHidden)).equal(map("pseudo_label")));
}

TEST_F(SelfTraining, TheReleasedCodeHidesNothingAndSoRelabelsNothing) {
  const at::Tensor hidden = map("in.label").masked_fill(unseen, 255);
  EXPECT_TRUE(relabelled(hidden).equal(map("tagclip_released.relabelled")));
}

TEST_F(SelfTraining, TheLowestClassWinsATie) {
  const at::Tensor labels = relabelled(at::full_like(map("in.label"), kHidden));
  const at::Tensor scores =
      file["in.logits"].select(0, 0).select(1, 0).select(1, 1);  // pixel [0, 0, 0, 1]
  const at::Tensor of_unseen = scores.index_select(0, file["in.unseen_idx"]);
  ASSERT_EQ(of_unseen.eq(of_unseen.max()).sum().item<int64_t>(), 2);
  const int64_t first = of_unseen.eq(of_unseen.max()).to(at::kLong).argmax().item<int64_t>();
  EXPECT_EQ(labels[0][0][1].item<int64_t>(), file["in.unseen_idx"][first].item<int64_t>());
}

TEST(SelfTrainingLabels, AreOfLogitsUpsampledToTheLabels) {
  const at::Tensor logits = at::randn({2, 6, 4, 5}), labels = at::full({2, 40, 30}, kHidden);
  const at::Tensor some = at::tensor({1, 4, 5}, at::kLong);
  const at::Tensor maps = at::upsample_bilinear2d(logits, {40, 30}, /*align_corners=*/false);
  EXPECT_TRUE(
      self_training_labels(logits, labels, some).equal(self_training_labels(maps, labels, some)));
}

}  // namespace
}  // namespace tagclip
