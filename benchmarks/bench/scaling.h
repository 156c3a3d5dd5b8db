#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/measurement.h"
#include "bench/workload.h"

namespace tagclip::bench {

// One size of what we compute, measured alone.
struct ScalingPoint {
  std::string task;
  int64_t value = 0;   // of what is varied
  int64_t photos = 1;  // per run
  std::vector<double> seconds;
  std::vector<double> core_seconds;  // of the same runs, on all cores together
  std::optional<int64_t> peak;       // bytes that the process came to hold in the first run
  std::vector<Stage> stages;         // empty where the task has none
};

// `variable` can be one of these:
//   classes   words asked of one encoded photo
//   side      1, 2, 4, 8 windows, of a square photo that is shrunk to one, as `segment` does it
//   windows   the same photos cut up, none shrunk
//   batch     photos that are encoded together, and of a training step
//   threads   1, 2, 4, ... up to those given, of a photo and of a training step
//
// Measures point by point, `runs` each after one to warm up, which counts where it took long.
// `done` hears of each; false ends it.
void measure_scaling(const Workload& workload, const std::string& variable, int64_t runs,
                     const std::function<bool(const ScalingPoint&)>& done);

}  // namespace tagclip::bench
