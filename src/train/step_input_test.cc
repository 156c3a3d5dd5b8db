#include "train/step_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/labels.h"

namespace tagclip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<bool> kSeen = {true, false, true, true};

std::vector<int64_t> values(const at::Tensor& table) {  // of the classes, and of void
  std::vector<int64_t> result;
  for (int64_t label : {0, 1, 2, 3, 255}) result.push_back(table[label].item<int64_t>());
  return result;
}

TEST(StepLabels, InductiveHidesTheUnseen) {
  const StepLabels step = step_labels({}, kSeen, 0);
  EXPECT_THAT(step.classes, ElementsAre(0, 2, 3));
  EXPECT_THAT(values(step.label), ElementsAre(0, kHiddenClass, 1, 2, kIgnoreIndex));
  EXPECT_THAT(values(step.seen_mask), ElementsAre(1, 0, 1, 1, -1));
  EXPECT_THAT(step.pseudo, IsEmpty());
}

TEST(StepLabels, SupervisedHidesNothing) {
  const StepLabels step = step_labels({.setting = Setting::kSupervised}, kSeen, 0);
  EXPECT_THAT(step.classes, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(values(step.label), ElementsAre(0, 1, 2, 3, kIgnoreIndex));
  EXPECT_THAT(values(step.seen_mask), ElementsAre(1, 1, 1, 1, -1));
}

TEST(StepLabels, SelfTrainingBeginsAtTheHalf) {
  TrainConfig config{.setting = Setting::kTransductive};
  config.schedule.iterations = 100;
  EXPECT_THAT(step_labels(config, kSeen, 49).classes, ElementsAre(0, 2, 3));
  const StepLabels step = step_labels(config, kSeen, 50);
  EXPECT_THAT(step.classes, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(values(step.label), ElementsAre(0, kHiddenClass, 2, 3, kIgnoreIndex));
  EXPECT_THAT(values(step.seen_mask), ElementsAre(1, 0, 1, 1, -1));
  EXPECT_THAT(step.pseudo, ElementsAre(1));
}

TEST(StepLabels, PseudoLabelsForEverythingOrNothing) {
  TrainConfig config{.setting = Setting::kTransductive};
  config.self_training = {.from = 0, .pseudo_labels = PseudoLabels::kEverything};
  EXPECT_THAT(values(step_labels(config, kSeen, 0).label),
              ElementsAre(0, kHiddenClass, 2, 3, kHiddenClass));
  config.self_training.pseudo_labels = PseudoLabels::kNone;
  const StepLabels step = step_labels(config, kSeen, 0);
  EXPECT_THAT(values(step.label), ElementsAre(0, kIgnoreIndex, 2, 3, kIgnoreIndex));
  EXPECT_THAT(step.classes, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(step.pseudo, IsEmpty());
}

TEST(StepLabels, HeldOutSeenClassesStandInForUnseenOnes) {
  TrainConfig config{.trusty_source = TrustySource::kHeldOutSeen, .held_out_share = 0.34};
  std::set<int64_t> held_out;
  for (int64_t iteration = 0; iteration < 50; ++iteration) {
    const StepLabels step = step_labels(config, kSeen, iteration);
    ASSERT_EQ(step.classes.size(), 2u);  // one of three is hidden
    EXPECT_EQ(step.label[1].item<int64_t>(), kIgnoreIndex) << "an unseen label was read";
    EXPECT_EQ(step.seen_mask[1].item<int64_t>(), -1) << "an unseen label was read";
    for (int64_t c : {0, 2, 3}) {
      const bool trained = std::ranges::count(step.classes, c) == 1;
      EXPECT_EQ(step.seen_mask[c].item<int64_t>(), trained ? 1 : 0);
      EXPECT_EQ(step.label[c].item<int64_t>() >= 0, trained);
      if (!trained) held_out.insert(c);
    }
  }
  EXPECT_EQ(held_out.size(), 3u) << "always the same were held out";
}

TEST(StepLabels, VoidComesAfterManyClasses) {
  const StepLabels step = step_labels({}, std::vector<bool>(300, true), 0);
  EXPECT_EQ(void_label(300), 300);
  EXPECT_EQ(step.label[255].item<int64_t>(), 255);
  EXPECT_EQ(step.label[299].item<int64_t>(), 299);
  EXPECT_EQ(step.label[300].item<int64_t>(), kIgnoreIndex);
  EXPECT_EQ(step.seen_mask[300].item<int64_t>(), -1);
}

TEST(StepLabels, AtLeastOneIsHeldOutAndOneIsLeft) {
  TrainConfig config{.trusty_source = TrustySource::kHeldOutSeen, .held_out_share = 0};
  EXPECT_EQ(step_labels(config, kSeen, 0).classes.size(), 2u);
  config.held_out_share = 1;
  EXPECT_EQ(step_labels(config, kSeen, 0).classes.size(), 1u);
}

StepInput input(int64_t photos, int64_t classes, float value) {
  return {.pixels = at::full({photos, 3, 8, 8}, value),
          .text = at::full({classes, 4}, value),
          .targets = {.labels = at::full({photos, 8, 8}, 1, at::kLong),
                      .seen_mask = at::ones({photos, 8, 8}, at::kChar)},
          .pseudo = {}};
}

TEST(StaticInput, StaysInItsMemory) {
  StaticInput kept;
  EXPECT_FALSE(kept.copy_from(input(2, 5, 1)));
  const void* pixels = kept.get().pixels.data_ptr();
  EXPECT_TRUE(kept.copy_from(input(2, 5, 7)));
  EXPECT_EQ(kept.get().pixels.data_ptr(), pixels);
  EXPECT_TRUE(kept.get().pixels.eq(7).all().item<bool>());
  EXPECT_TRUE(kept.get().text.eq(7).all().item<bool>());
}

TEST(StaticInput, IsOtherMemoryForOtherShapes) {
  StaticInput kept;
  kept.copy_from(input(2, 5, 1));
  EXPECT_FALSE(kept.copy_from(input(2, 6, 1)));
  EXPECT_FALSE(kept.copy_from(input(3, 6, 1)));
  StepInput self_training = input(3, 6, 1);
  self_training.pseudo = at::tensor({4, 5}, at::kLong);
  EXPECT_FALSE(kept.copy_from(self_training));
  EXPECT_TRUE(kept.get().pseudo.equal(self_training.pseudo));
  EXPECT_FALSE(kept.copy_from(input(3, 6, 1)));
  EXPECT_FALSE(kept.get().pseudo.defined());
}

TEST(StaticInput, IsACopy) {
  StaticInput kept;
  const StepInput given = input(1, 2, 1);
  kept.copy_from(given);
  given.pixels.fill_(9);
  EXPECT_TRUE(kept.get().pixels.eq(1).all().item<bool>());
}

}  // namespace
}  // namespace tagclip
