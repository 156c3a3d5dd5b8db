#include "bench/tasks.h"

#include <gtest/gtest.h>

#include <cmath>

#include "bench/test_workload.h"

namespace tagclip::bench {
namespace {

const auto kGoOn = [](int64_t) { return true; };

TEST(Segment, IsMeasuredAndAgreesWithThePlainWay) {
  const Measurement m = measure_segment(tiny_workload(), 3, kGoOn);
  EXPECT_EQ(m.runs.ours.size(), 3U);
  EXPECT_GT(m.runs.ours[0], 0);
  EXPECT_EQ(m.stages.size(), 4U);
  EXPECT_GT(m.stages[1].seconds, 0);
  EXPECT_TRUE(m.agrees()) << m.differences[0].value << " " << m.differences[1].value;
}

TEST(TrainStepTask, IsMeasuredAndAgreesWithThePlainWay) {
  const Measurement m = measure_train_step(tiny_workload(), 2, 2, kGoOn);
  EXPECT_EQ(m.photos, 2);
  EXPECT_EQ(m.runs.plain.size(), 2U);
  EXPECT_TRUE(m.agrees()) << m.differences[0].value << " " << m.differences[1].value;
}

TEST(TrainStepTask, InMixedPrecisionItIsNearThePlainWay) {
  Workload workload = tiny_workload();
  workload.precision = GemmPrecision::kBFloat16;
  const Measurement m = measure_train_step(workload, 2, 2, kGoOn);
  EXPECT_GT(m.differences[1].value, 1e-6);  // else nothing was lowered
  EXPECT_TRUE(m.agrees()) << m.differences[0].value << " " << m.differences[1].value;
}

TEST(BlendTask, IsMeasuredAndAgreesWithThePlainWay) {
  const Measurement m = measure_blend(tiny_workload(), 2, kGoOn);
  EXPECT_EQ(m.photos, 1);
  EXPECT_EQ(m.runs.plain.size(), 2U);
  EXPECT_TRUE(m.agrees()) << m.differences[0].value << " " << m.differences[1].value;
}

TEST(MaskLossTask, IsMeasuredAndAgreesWithThePlainWay) {
  const Measurement m = measure_mask_loss(tiny_workload(), 3, 2, kGoOn);
  EXPECT_EQ(m.photos, 3);
  EXPECT_EQ(m.runs.plain.size(), 2U);
  EXPECT_TRUE(m.agrees()) << m.differences[0].value << " " << m.differences[1].value;
}

TEST(Measurement, IsNamedByItsPrecisionWhereThatIsNotTheUsual) {
  Measurement m{.workload = "VOC", .task = "segment"};
  EXPECT_EQ(m.name(), "VOC segment");
  m.precision = "bfloat16";
  EXPECT_EQ(m.name(), "VOC segment bfloat16");
}

TEST(Measurement, ComparesMemoryWhereBothPeaksAreKnown) {
  Measurement m{.our_peak = 3, .plain_peak = 12};
  EXPECT_EQ(m.memory_ratio(), 4);
  m.our_peak = 0;
  EXPECT_FALSE(m.memory_ratio());
  m.our_peak.reset();
  EXPECT_FALSE(m.memory_ratio());
}

TEST(Measurement, WhatIsNoNumberDoesNotAgree) {
  Measurement m;
  m.differences = {{"loss", 0.5, 1}};
  EXPECT_TRUE(m.agrees());
  m.differences.push_back({"gradients", std::nan(""), 1});
  EXPECT_FALSE(m.agrees());
}

}  // namespace
}  // namespace tagclip::bench
