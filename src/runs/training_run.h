#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/config_file.h"
#include "runs/example_photos.h"
#include "runs/metrics_file.h"
#include "runs/run_record.h"
#include "runs/training_curves.h"

namespace tagclip {

// What a training run has left in its folder.
struct TrainingRun {
  std::filesystem::path folder;
  RunRecord record;                      // run.json
  Settings settings;                     // config.toml
  TrainingCurves curves;                 // log.jsonl; empty before its first line
  std::optional<StoredMetrics> metrics;  // metrics.json; none before the first validation
  std::vector<ExamplePhoto> examples;    // examples/

  bool finished() const { return !record.finished.empty(); }
  // The last iteration its log tells of.
  int64_t iteration() const;
};

// Throws Error(kBadInput) when the folder holds no run, or a file of it is damaged, which is named.
TrainingRun read_training_run(const std::filesystem::path& folder);

// The runs that `places` name, each once, in their order: a place is a run's folder, or a folder
// with runs in it at any depth up to 4, sorted by name. Throws Error(kBadInput) for a place that is
// no folder, and one without runs.
std::vector<std::filesystem::path> find_runs(const std::vector<std::string>& places);

}  // namespace tagclip
