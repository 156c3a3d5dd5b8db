#include "bench/tasks.h"

#include <gmock/gmock.h>

#include "bench/test_workload.h"

namespace tagclip::bench {
namespace {

const auto kGoOn = [](int64_t) { return true; };

TEST(Segment, IsMeasuredAndAgreesWithTheReference) {
  const Measurement m = measure_segment(tiny_workload(), 3, kGoOn);
  EXPECT_EQ(m.runs.ours.size(), 3U);
  EXPECT_GT(m.runs.ours[0], 0);
  EXPECT_EQ(m.stages.size(), 4U);
  EXPECT_GT(m.stages[1].seconds, 0);
  EXPECT_TRUE(m.agrees()) << m.differences[0].value << " " << m.differences[1].value;
}

TEST(TrainStepTask, IsMeasuredAndAgreesWithTheReference) {
  const Measurement m = measure_train_step(tiny_workload(), 2, 2, kGoOn);
  EXPECT_EQ(m.photos, 2);
  EXPECT_EQ(m.runs.reference.size(), 2U);
  EXPECT_TRUE(m.agrees()) << m.differences[0].value << " " << m.differences[1].value;
}

TEST(TrainStepTask, InMixedPrecisionItIsNearTheReference) {
  Workload workload = tiny_workload();
  workload.precision = GemmPrecision::kBFloat16;
  const Measurement m = measure_train_step(workload, 2, 2, kGoOn);
  EXPECT_GT(m.differences[1].value, 1e-6);  // else nothing was in bfloat16
  EXPECT_TRUE(m.agrees()) << m.differences[0].value << " " << m.differences[1].value;
}

TEST(BlendTask, IsMeasuredAndAgreesWithTheReference) {
  const Measurement m = measure_blend(tiny_workload(), 2, kGoOn);
  EXPECT_EQ(m.photos, 1);
  EXPECT_EQ(m.runs.reference.size(), 2U);
  EXPECT_TRUE(m.agrees()) << m.differences[0].value << " " << m.differences[1].value;
}

TEST(MaskLossTask, IsMeasuredAndAgreesWithTheReference) {
  const Measurement m = measure_mask_loss(tiny_workload(), 3, 2, kGoOn);
  EXPECT_EQ(m.photos, 3);
  EXPECT_EQ(m.runs.reference.size(), 2U);
  EXPECT_TRUE(m.agrees()) << m.differences[0].value << " " << m.differences[1].value;
}

// The token is one row as wide as the embeddings; all else stays.
TEST(TokenCost, IsItsRowAndTheTimeWithAndWithoutIt) {
  const Workload workload = tiny_workload();
  std::vector<std::string> heard;
  const TokenCost cost =
      measure_token_cost(workload, 2, 3, [&](const std::string& task, int64_t done, int64_t) {
        heard.push_back(task + std::to_string(done));
        return true;
      });
  const int64_t width = workload.model.clip.embedding;
  EXPECT_EQ(cost.with.all - cost.without.all, width);
  EXPECT_EQ(cost.with.trained - cost.without.trained, width);
  EXPECT_GT(cost.with.trained, width);
  EXPECT_LT(cost.with.trained, cost.with.all);
  ASSERT_EQ(cost.tasks.size(), 3U);
  for (const TokenCost::Task& task : cost.tasks) {
    EXPECT_EQ(task.runs.ours.size(), task.name == "train-step" ? 2U : 3U) << task.name;
    EXPECT_EQ(task.runs.ours.size(), task.runs.reference.size()) << task.name;
    EXPECT_GT(spread_of(task.runs.reference).min, 0) << task.name;
  }
  EXPECT_THAT(heard, testing::ElementsAre("segment1", "segment2", "segment3", "decode and blend1",
                                          "decode and blend2", "decode and blend3", "train-step1",
                                          "train-step2"));
}

TEST(TokenCost, EndsWhenTheUserStops) {
  const TokenCost cost = measure_token_cost(
      tiny_workload(), 2, 3, [](const std::string&, int64_t, int64_t) { return false; });
  ASSERT_EQ(cost.tasks.size(), 1U);
  EXPECT_EQ(cost.tasks[0].runs.ours.size(), 1U);
}

}  // namespace
}  // namespace tagclip::bench
