#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "runs/event_file.h"
#include "runs/run_record.h"
#include "train/run_log.h"
#include "train/train_step.h"
#include "train/validation.h"

namespace tagclip {

// What a run tells of itself while it goes on: run.json, log.jsonl, TensorBoard events,
// metrics.json and examples/ in its folder. One rank writes them.
class RunFiles {
 public:
  // `record`: of the run as it begins. `done`, `validated`: the iterations an earlier session has
  // left; what it wrote of later ones is dropped, and its time counted. All functions throw
  // Error(kFailure) when a file cannot be written.
  RunFiles(const std::filesystem::path& folder, RunRecord record, int64_t done, int64_t validated);

  void add(const TrainReport& report);
  void add(int64_t iteration, const Validation& validation);
  // The time it took so far, with a checkpoint or at the end.
  void save_record(bool finished);

 private:
  void write_examples(const std::vector<Prediction>& examples) const;

  std::filesystem::path folder_;
  RunRecord record_;
  double seconds_before_ = 0;  // of earlier sessions
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  RunLog log_;
  EventFile events_;
};

}  // namespace tagclip
