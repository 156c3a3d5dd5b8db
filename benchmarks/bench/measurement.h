#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/paired_runs.h"
#include "infer/photo_encoder.h"

namespace tagclip::bench {

// How far our result is from the plain one, and how far it may be.
struct Difference {
  std::string name;
  double value = 0;
  double limit = 0;
};

// A stage of our way, seconds.
struct Stage {
  std::string name;
  double seconds = 0;  // median
};

// One a stage, over all runs.
std::vector<Stage> median_stages(const std::vector<StageTimes>& times);

// What was found out about one task on one model.
struct Measurement {
  std::string workload;
  std::string task;
  std::string precision = "float32";  // of our matrix products; plain's are float32
  int64_t photos = 0;                 // a run
  double flops = 0;                   // a run, that the result needs; 0: no matrix products
  PairedRuns runs;
  std::optional<int64_t> our_peak, plain_peak;  // bytes, of the first, unmeasured run
  std::vector<Stage> stages;                    // empty where the task has none
  // Other words on a photo that was encoded before (ours) against the whole photo again (plain);
  // empty where the task has none.
  PairedRuns other_words;
  std::vector<Difference> differences;

  // Tells the rows of a table apart: "VOC segment", "COCO segment bfloat16".
  std::string name() const;
  bool agrees() const;
  // Plain's peak over ours; nothing where either is unknown.
  std::optional<double> memory_ratio() const;
};

}  // namespace tagclip::bench
