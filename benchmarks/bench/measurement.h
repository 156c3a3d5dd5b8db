#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "infer/stage_times.h"

namespace tagclip::bench {

struct Spread {
  double min = 0, median = 0, max = 0;
};

// `values` must not be empty. The median of an even number of values is the mean of the middle two.
Spread spread_of(std::vector<double> values);
Spread in_milliseconds(const Spread& seconds);
inline Spread milliseconds(const std::vector<double>& seconds) {
  return in_milliseconds(spread_of(seconds));
}

// Holds the seconds of two ways to compute the same, interleaved: whatever else the machine does
// meets both.
struct AbRuns {
  std::vector<double> ours, reference;

  // Returns the reference's seconds over ours, pair by pair.
  Spread speedup() const;
  // Returns ours less the reference's, pair by pair.
  Spread added_seconds() const;
};

// Hears after each pair how many are done; false ends the measurement.
using PairProgress = std::function<bool(int64_t done)>;

// Times ours, reference, ours, reference, ...: `pairs` of them, at least one and fewer when
// `progress` ends it.
AbRuns interleave(const std::function<void()>& ours, const std::function<void()>& reference,
                  int64_t pairs, const PairProgress& progress);

// Our result is `value` away from the reference's, and may be up to `limit`.
struct Difference {
  std::string name;
  double value = 0;
  double limit = 0;
};

// One of the stages that our way consists of.
struct Stage {
  std::string name;
  double seconds = 0;  // median
};

// Returns the median of each stage over all runs.
std::vector<Stage> median_stages(const std::vector<StageTimes>& times);

// Holds what was found out about one task on one model.
struct Measurement {
  std::string workload;
  std::string task;
  std::string precision = "float32";  // of our matrix products; the reference's are float32
  int64_t photos = 0;                 // per run
  double flops = 0;                   // per run, that the result needs; 0: no matrix products
  AbRuns runs;
  std::optional<int64_t> our_peak, reference_peak;  // bytes, of the first, unmeasured run
  std::vector<Stage> stages;                        // empty where the task has none
  // Compares other words on a photo that was encoded before (ours) with the whole photo again
  // (reference); empty where the task has none.
  AbRuns other_words;
  std::vector<Difference> differences;

  // Tells the rows of a table apart: "VOC segment", "COCO segment bfloat16".
  std::string name() const;
  bool agrees() const;
  // Returns the reference's peak over ours; nothing where either is unknown.
  std::optional<double> memory_ratio() const;
};

}  // namespace tagclip::bench
