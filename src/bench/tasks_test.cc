#include "bench/tasks.h"

#include <gtest/gtest.h>

#include <cmath>

#include "bench/test_workload.h"

namespace tagclip {
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

TEST(LossesTask, IsMeasuredAndAgreesWithThePlainWay) {
  const Measurement m = measure_losses(tiny_workload(), 3, 2, kGoOn);
  EXPECT_EQ(m.photos, 3);
  EXPECT_EQ(m.runs.plain.size(), 2U);
  EXPECT_TRUE(m.agrees()) << m.differences[0].value << " " << m.differences[1].value;
}

TEST(Measurement, WhatIsNoNumberDoesNotAgree) {
  Measurement m;
  m.differences = {{"loss", 0.5, 1}};
  EXPECT_TRUE(m.agrees());
  m.differences.push_back({"gradients", std::nan(""), 1});
  EXPECT_FALSE(m.agrees());
}

}  // namespace
}  // namespace tagclip
