#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/config_file.h"
#include "image/image.h"
#include "runs/run_record.h"

namespace tagclip {

// A quantity over the iterations of a run.
using Curve = std::map<int64_t, double>;

// The curves of a run's log.jsonl by the names there: "loss", "lr", "mIoU(U)", ...
using TrainingCurves = std::map<std::string, Curve>;

// Reads a log of at most 32 MiB: an object with "iteration" and numbers a line; nulls are left out,
// and so is a last line that is not finished yet. Throws Error(kBadInput) naming the file and the
// line for anything else, and for more than 64 quantities.
TrainingCurves read_training_curves(const std::filesystem::path& path);

// A validation photo of a run as a report shows it: small, classes laid over it.
struct ExamplePhoto {
  std::string name;
  Image photo, prediction, truth;  // of one size; the latter two with their classes' colours
  std::vector<bool> present;       // per class: whether prediction or truth has it
};

// The first few photos of a run's examples/ by name (NAME.photo.png, NAME.labels.png,
// NAME.truth.png); none where there is no such folder. Throws Error(kBadInput) naming the file for
// a damaged or missing picture, sizes that differ, and a label that is none of `classes` classes.
std::vector<ExamplePhoto> read_example_photos(const std::filesystem::path& folder, size_t classes);

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
