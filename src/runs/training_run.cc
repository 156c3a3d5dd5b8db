#include "runs/training_run.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecord = "run.json";
constexpr int kMaxDepth = 4;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

void collect_runs(const fs::path& folder, int depth, std::set<fs::path>& runs) {
  if (is_there(folder / kRecord)) {
    runs.insert(folder);
    return;
  }
  if (depth == kMaxDepth) return;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
    if (entry.is_directory(unreadable) && !entry.is_symlink(unreadable)) {
      collect_runs(entry.path(), depth + 1, runs);
    }
  }
}

// Metrics of other classes than the run's own could not be told apart class by class.
StoredMetrics read_metrics_of(const RunData& data, const fs::path& path) {
  StoredMetrics stored = read_metrics_file(path);
  if (stored.names == data.classes && stored.seen == data.seen) return stored;
  throw bad_input(path.string() + ": expected the classes of run.json, found others",
                  "the two files are of different runs; train again into an empty folder");
}

// Opening a pipe would wait for its writer for ever.
Settings read_run_settings(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) return read_settings(path);
  throw bad_input(path.string() + ": expected the settings of the run, found " +
                      (is_there(path) ? "no regular file" : "nothing"),
                  "tagclip train writes them beside run.json");
}

// "runs/a/" as "runs/a", whose last part is its name.
fs::path named(const fs::path& place) {
  const fs::path normal = place.lexically_normal();
  return normal.has_filename() || !normal.has_relative_path() ? normal : normal.parent_path();
}

}  // namespace

int64_t TrainingRun::iteration() const {
  int64_t last = metrics ? metrics->iteration : 0;
  for (const auto& [name, curve] : curves) last = std::max(last, curve.rbegin()->first);
  return last;
}

TrainingRun read_training_run(const fs::path& folder) {
  TrainingRun run{.folder = folder,
                  .record = read_run_record(folder / kRecord),
                  .settings = read_run_settings(folder / "config.toml")};
  if (is_there(folder / "log.jsonl")) run.curves = read_training_curves(folder / "log.jsonl");
  if (is_there(folder / "metrics.json")) {
    run.metrics = read_metrics_of(run.record.data, folder / "metrics.json");
  }
  run.examples = read_example_photos(folder / "examples", run.record.data.classes.size());
  return run;
}

std::vector<fs::path> find_runs(const std::vector<std::string>& places) {
  std::vector<fs::path> found;
  for (const std::string& place : places) {
    std::error_code ignored;
    if (!fs::is_directory(place, ignored)) {
      throw bad_input(place + ": expected the folder of a training run, found " +
                          (is_there(place) ? "a file" : "nothing"),
                      "give the output folders of tagclip train, or a folder that holds them");
    }
    std::set<fs::path> runs;
    collect_runs(named(place), 0, runs);
    if (runs.empty()) {
      throw bad_input(place + " holds no training run: no run.json is in it or below it",
                      "tagclip train writes one into its output folder");
    }
    for (const fs::path& run : runs) {
      if (std::ranges::find(found, run) == found.end()) found.push_back(run);
    }
  }
  return found;
}

}  // namespace tagclip
