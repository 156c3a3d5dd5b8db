#include "bench/scaling.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include "base/error.h"
#include "bench/test_workload.h"

namespace tagclip::bench {
namespace {

using testing::ElementsAre;

std::vector<ScalingPoint> points_by(const std::string& variable) {
  std::vector<ScalingPoint> points;
  measure_scaling(tiny_workload(), variable, 2, [&](const ScalingPoint& point) {
    points.push_back(point);
    return true;
  });
  return points;
}

std::vector<int64_t> values(const std::vector<ScalingPoint>& points, const std::string& task) {
  std::vector<int64_t> values;
  for (const ScalingPoint& point : points) {
    if (point.task == task) values.push_back(point.value);
  }
  return values;
}

TEST(Scaling, GoesOverClassesSidesAndBatches) {
  EXPECT_THAT(values(points_by("classes"), "words"), ElementsAre(10, 171, 1000, 10000));
  EXPECT_THAT(values(points_by("side"), "segment"), ElementsAre(32, 64, 128, 256));
  const auto batches = points_by("batch");
  EXPECT_THAT(values(batches, "encode"), ElementsAre(1, 2, 4, 8));
  EXPECT_THAT(values(batches, "train-step"), ElementsAre(1, 2, 4, 8));
  EXPECT_EQ(batches.back().photos, 8);
  EXPECT_THROW(points_by("colour"), InternalError);
}

TEST(Scaling, ManyWindowsTakeLongerThanOnePhotoShrunkToOne) {
  const ScalingPoint shrunk = points_by("side").back(), cut_up = points_by("windows").back();
  EXPECT_EQ(cut_up.value, shrunk.value);
  EXPECT_EQ(cut_up.seconds.size(), 2U);
  EXPECT_EQ(cut_up.core_seconds.size(), 2U);
  EXPECT_GT(spread_of(cut_up.seconds).min, 2 * spread_of(shrunk.seconds).min);
  EXPECT_EQ(cut_up.stages.size(), 4U);
}

TEST(Scaling, LeavesTheThreadsAsTheyWere) {
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  EXPECT_THAT(values(points_by("threads"), "segment"), ElementsAre(1, 2, 3));
  EXPECT_EQ(at::get_num_threads(), 3);
  at::set_num_threads(before);
}

TEST(Scaling, EndsWhenTheUserStops) {
  for (const char* variable : {"classes", "side", "batch", "threads"}) {
    int heard = 0;
    measure_scaling(tiny_workload(), variable, 1, [&](const ScalingPoint&) {
      ++heard;
      return false;
    });
    EXPECT_EQ(heard, 1) << variable;
  }
}

}  // namespace
}  // namespace tagclip::bench
