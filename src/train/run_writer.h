#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "runs/event_file.h"
#include "runs/run_record.h"
#include "train/train_step.h"
#include "train/validation.h"

namespace tagclip {

// log.jsonl of a run: one JSON object per line. Terms that a model does not have are null.
class RunLog {
 public:
  // Drops what a killed session wrote after iteration `done`, its last saved one, and validations
  // after iteration `validated`. Throws Error(kFailure), as the functions below do, when the file
  // cannot be written.
  RunLog(const std::filesystem::path& folder, int64_t done, int64_t validated);

  void add(const TrainReport& report);
  void add(int64_t iteration, const Validation& validation);
  // A JSON object with "iteration", and "loss" unless it is about a validation.
  void append(const std::string& line);

 private:
  std::filesystem::path path_;
};

// The files of a run that people and `tagclip report` read: run.json, log.jsonl, TensorBoard
// events, metrics.json and examples/. One rank writes them.
class RunWriter {
 public:
  // `record` describes the run as it begins. `done`, `validated`: the iterations of an earlier
  // session; what it wrote about later ones is dropped, and its time is added. All functions throw
  // Error(kFailure) when a file cannot be written.
  RunWriter(const std::filesystem::path& folder, RunRecord record, int64_t done, int64_t validated);

  void add(const TrainReport& report);
  void add(int64_t iteration, const Validation& validation);
  // Updates run.json's time, with a checkpoint or at the end.
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
