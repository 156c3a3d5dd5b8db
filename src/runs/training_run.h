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

// Maps iterations to a quantity.
using Curve = std::map<int64_t, double>;

// Maps names of a run's log.jsonl to curves: "loss", "lr", "mIoU(U)", ...
using TrainingCurves = std::map<std::string, Curve>;

// Reads a log of at most 32 MiB with one JSON object per line, of "iteration" and numbers. Nulls,
// which mark a quantity that a run does not have, and an unfinished last line are left out. Throws
// Error(kBadInput) naming file and line for anything else, and for more than 512 quantities.
TrainingCurves read_training_curves(const std::filesystem::path& path);

// Holds a validation photo of a run as a report shows it: resized, with classes in colours.
struct ExamplePhoto {
  std::string name;
  Image photo, prediction, truth;  // of one size; the latter two under their classes' colours
  std::vector<bool> present;       // per class: whether prediction or truth has it
};

// Reads the examples/ folder of a run (NAME.photo.png, NAME.labels.png, NAME.truth.png): those
// called `names`, as far as they are there, or the first 8 by name where `names` is empty. None
// where there is no such folder. Throws Error(kBadInput) naming the file for a damaged or missing
// image, sizes that differ, and a label that is none of `classes` classes.
std::vector<ExamplePhoto> read_example_photos(const std::filesystem::path& folder, size_t classes,
                                              const std::vector<std::string>& names = {});

// Returns the name under which a photo's example files are kept: folders in it become "_".
std::string example_name(std::string photo);

// Holds the contents of a training run's folder.
struct TrainingRun {
  std::filesystem::path folder;
  RunRecord record;                      // run.json
  Settings settings;                     // config.toml
  TrainingCurves curves;                 // log.jsonl; empty before its first line
  std::optional<StoredMetrics> metrics;  // metrics.json; none before the first validation
  std::vector<ExamplePhoto> examples;    // examples/

  bool finished() const { return !record.finished.empty(); }
  // Returns the last iteration in log or metrics.
  int64_t iteration() const;
};

// Reads a run; `photos` are the examples to read, as in read_example_photos. Throws
// Error(kBadInput) when the folder holds no run, and naming a file that is damaged.
TrainingRun read_training_run(const std::filesystem::path& folder,
                              const std::vector<std::string>& photos = {});

// Finds the runs at `places`, each once, in their order: a place is a run's folder, or a folder
// with runs at any depth up to 4, which are sorted by name. Throws Error(kBadInput) for a place
// that is no folder or has no runs.
std::vector<std::filesystem::path> find_runs(const std::vector<std::string>& places);

}  // namespace tagclip
