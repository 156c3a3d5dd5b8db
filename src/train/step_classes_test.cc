#include "train/step_classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "model/losses.h"

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

TEST(StepClasses, InductiveHidesTheUnseen) {
  const StepClasses step = step_classes({}, kSeen, 0);
  EXPECT_THAT(step.classes, ElementsAre(0, 2, 3));
  EXPECT_THAT(values(step.label), ElementsAre(0, kHiddenClass, 1, 2, kIgnored));
  EXPECT_THAT(values(step.seen_mask), ElementsAre(1, 0, 1, 1, -1));
  EXPECT_THAT(step.pseudo, IsEmpty());
}

TEST(StepClasses, SupervisedHidesNothing) {
  const StepClasses step = step_classes({.setting = Setting::kSupervised}, kSeen, 0);
  EXPECT_THAT(step.classes, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(values(step.label), ElementsAre(0, 1, 2, 3, kIgnored));
  EXPECT_THAT(values(step.seen_mask), ElementsAre(1, 1, 1, 1, -1));
}

TEST(StepClasses, SelfTrainingBeginsAtTheHalf) {
  TrainConfig config{.setting = Setting::kTransductive};
  config.schedule.iterations = 100;
  EXPECT_THAT(step_classes(config, kSeen, 49).classes, ElementsAre(0, 2, 3));
  const StepClasses step = step_classes(config, kSeen, 50);
  EXPECT_THAT(step.classes, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(values(step.label), ElementsAre(0, kHiddenClass, 2, 3, kIgnored));
  EXPECT_THAT(values(step.seen_mask), ElementsAre(1, 0, 1, 1, -1));
  EXPECT_THAT(step.pseudo, ElementsAre(1));
}

TEST(StepClasses, PseudoLabelsForEverythingOrNothing) {
  TrainConfig config{.setting = Setting::kTransductive};
  config.self_training = {.from = 0, .pseudo_labels = PseudoLabels::kEverything};
  EXPECT_THAT(values(step_classes(config, kSeen, 0).label),
              ElementsAre(0, kHiddenClass, 2, 3, kHiddenClass));
  config.self_training.pseudo_labels = PseudoLabels::kNone;
  const StepClasses step = step_classes(config, kSeen, 0);
  EXPECT_THAT(values(step.label), ElementsAre(0, kIgnored, 2, 3, kIgnored));
  EXPECT_THAT(step.classes, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(step.pseudo, IsEmpty());
}

TEST(StepClasses, HeldOutSeenClassesStandInForUnseenOnes) {
  TrainConfig config{.trusty_source = TrustySource::kHeldOutSeen, .held_out_share = 0.34};
  std::set<int64_t> held_out;
  for (int64_t iteration = 0; iteration < 50; ++iteration) {
    const StepClasses step = step_classes(config, kSeen, iteration);
    ASSERT_EQ(step.classes.size(), 2u);  // one of three is hidden
    EXPECT_EQ(step.label[1].item<int64_t>(), kIgnored) << "an unseen label was read";
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

TEST(StepClasses, ManyClassesMoveVoidBehindThem) {
  const StepClasses step = step_classes({}, std::vector<bool>(300, true), 0);
  EXPECT_EQ(void_label(300), 300);
  EXPECT_EQ(step.label[255].item<int64_t>(), 255);
  EXPECT_EQ(step.label[299].item<int64_t>(), 299);
  EXPECT_EQ(step.label[300].item<int64_t>(), kIgnored);
  EXPECT_EQ(step.seen_mask[300].item<int64_t>(), -1);
}

TEST(StepClasses, AtLeastOneIsHeldOutAndOneIsLeft) {
  TrainConfig config{.trusty_source = TrustySource::kHeldOutSeen, .held_out_share = 0};
  EXPECT_EQ(step_classes(config, kSeen, 0).classes.size(), 2u);
  config.held_out_share = 1;
  EXPECT_EQ(step_classes(config, kSeen, 0).classes.size(), 1u);
}

}  // namespace
}  // namespace tagclip
