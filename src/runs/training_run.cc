#include "runs/training_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "data/image_ops.h"
#include "draw/canvas.h"
#include "draw/overlay.h"
#include "image/palette.h"

namespace tagclip {
namespace {

constexpr const char* kIteration = "iteration";
constexpr size_t kMaxCurves = 512;

std::optional<int64_t> iteration_of(const nlohmann::json& entry) {
  if (!entry.is_object()) return {};
  const auto found = entry.find(kIteration);
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (found == entry.end() || !found->is_number_unsigned() || found->get<uint64_t>() > kMax) {
    return {};
  }
  return found->get<int64_t>();
}

// Returns false when the line is no entry of a log.
bool add_line(std::string_view line, TrainingCurves& curves) {
  const nlohmann::json entry = parse_bounded_json(line).value_or(nlohmann::json());
  const std::optional<int64_t> iteration = iteration_of(entry);
  if (!iteration) return false;
  for (const auto& [name, value] : entry.items()) {
    // Larger numbers than float32 has would overflow the axes of charts.
    const double number = value.is_number() ? value.get<double>() : NAN;
    if (name == kIteration || !(std::abs(number) <= std::numeric_limits<float>::max())) continue;
    curves[name][*iteration] = number;
  }
  return true;
}

constexpr size_t kMaxPhotos = 8;
constexpr int kLongest = 400;  // pixels
constexpr ImageLimits kLimits{.max_pixels = 16 << 20};
constexpr std::string_view kPhotoEnd = ".photo.png";

// Returns the first kMaxPhotos names of examples in a folder.
std::vector<std::string> first_names(const std::filesystem::path& folder) {
  std::set<std::string> names;
  if (!is_folder(folder)) return {};
  for (const auto& [file, kind] : list_folder(folder)) {
    if (!file.ends_with(kPhotoEnd)) continue;
    names.insert(file.substr(0, file.size() - kPhotoEnd.size()));
    if (names.size() > kMaxPhotos) names.erase(std::prev(names.end()));
  }
  return {names.begin(), names.end()};
}

// Reads labels of the photo's size and of `classes` classes.
LabelMap read_labels(const std::filesystem::path& path, const Image& photo, size_t classes) {
  LabelMap map = read_label_map(path, kLimits);
  if (map.width != photo.width || map.height != photo.height) {
    throw bad_input(fmt::format("{}: expected the photo's {}x{} pixels, found {}x{}", path.string(),
                                photo.width, photo.height, map.width, map.height));
  }
  for (const uint16_t label : map.labels) {
    if (label < classes || label == kIgnoreIndex) continue;
    throw bad_input(
        fmt::format("{}: expected labels of {} classes, found {}", path.string(), classes, label));
  }
  return map;
}

// Reads the examples of one folder.
class ExampleReader {
 public:
  ExampleReader(const std::filesystem::path& folder, size_t classes)
      : folder_(folder), classes_(classes), palette_(result_palette(classes)) {}

  ExamplePhoto read(const std::string& name) const {
    const Image full = read_image(folder_ / (name + std::string(kPhotoEnd)), kLimits);
    const int longest = std::max(full.width, full.height);
    const Size size = longest > kLongest ? fit_within({full.width, full.height}, kLongest, kLongest)
                                         : Size{full.width, full.height};
    ExamplePhoto example{.name = name,
                         .photo = preview(full, size),
                         .prediction = {},
                         .truth = {},
                         .present = std::vector<bool>(classes_)};
    example.prediction = coloured(folder_ / (name + ".labels.png"), full, example);
    example.truth = coloured(folder_ / (name + ".truth.png"), full, example);
    return example;
  }

 private:
  // Returns the resized photo under these labels, and marks them as present.
  Image coloured(const std::filesystem::path& path, const Image& full,
                 ExamplePhoto& example) const {
    const LabelMap labels = read_labels(path, full, classes_);
    for (const uint16_t label : labels.labels) {
      if (label != kIgnoreIndex) example.present[label] = true;
    }
    Image view = example.photo;
    colour_classes(view, resize_nearest(labels, {view.width, view.height}), palette_);
    return view;
  }

  std::filesystem::path folder_;
  size_t classes_;
  std::vector<Colour> palette_;
};

namespace fs = std::filesystem;

constexpr const char* kRecord = "run.json";
constexpr int kMaxDepth = 4;

void collect_runs(const fs::path& folder, int depth, std::set<fs::path>& runs) {
  if (path_exists(folder / kRecord)) {
    runs.insert(folder);
    return;
  }
  if (depth == kMaxDepth) return;
  for (const FolderEntry& entry : list_folder(folder)) {
    if (entry.kind != PathKind::kFolder) continue;
    try {
      collect_runs(folder / entry.name, depth + 1, runs);
    } catch (const Error&) {  // reading it as a run tells why it cannot be read
      runs.insert(folder / entry.name);
    }
  }
}

// Reads metrics and checks that they are of the run's own classes.
StoredMetrics read_metrics_of(const RunData& data, const fs::path& path) {
  StoredMetrics stored = read_metrics_file(path);
  if (stored.names == data.classes && stored.seen == data.seen) return stored;
  throw bad_input(path.string() + ": expected the classes of run.json, found others",
                  "the two files are of different runs; train again into an empty folder");
}

// Reads config.toml. Opening a pipe would wait for its writer for ever.
Settings read_run_settings(const fs::path& path) {
  if (is_file(path)) return read_settings(path);
  throw bad_input(path.string() + ": expected the settings of the run, found " +
                      (path_exists(path) ? "no regular file" : "nothing"),
                  "tagclip train writes them beside run.json");
}

// Returns "runs/a" for "runs/a/".
fs::path without_slash(const fs::path& place) {
  const fs::path normal = place.lexically_normal();
  return normal.has_filename() || !normal.has_relative_path() ? normal : normal.parent_path();
}

}  // namespace

TrainingCurves read_training_curves(const std::filesystem::path& path) {
  constexpr uint64_t kMaxBytes = 32 << 20;
  const std::string log = read_text(path, kMaxBytes);
  TrainingCurves curves;
  size_t line = 1;
  for (size_t at = 0, end; (end = log.find('\n', at)) != log.npos; at = end + 1, ++line) {
    if (!add_line(std::string_view(log).substr(at, end - at), curves)) {
      throw bad_input(
          fmt::format("{}:{}: expected a JSON object with an iteration", path.string(), line),
          "only the log of a training run can be reported");
    }
    if (curves.size() > kMaxCurves) {
      throw bad_input(fmt::format("{}:{}: expected at most {} quantities in a log", path.string(),
                                  line, kMaxCurves));
    }
  }
  return curves;
}

std::string example_name(std::string photo) {
  std::ranges::replace(photo, '/', '_');
  return photo;
}

std::vector<ExamplePhoto> read_example_photos(const std::filesystem::path& folder, size_t classes,
                                              const std::vector<std::string>& names) {
  const ExampleReader reader(folder, classes);
  std::vector<ExamplePhoto> examples;
  for (const std::string& name : names.empty() ? first_names(folder) : names) {
    const std::string kept = example_name(name);
    if (path_exists(folder / (kept + std::string(kPhotoEnd))))
      examples.push_back(reader.read(kept));
  }
  return examples;
}

int64_t TrainingRun::iteration() const {
  int64_t last = metrics ? metrics->iteration : 0;
  for (const auto& [name, curve] : curves) last = std::max(last, curve.rbegin()->first);
  return last;
}

TrainingRun read_training_run(const fs::path& folder, const std::vector<std::string>& photos) {
  TrainingRun run{.folder = folder,
                  .record = read_run_record(folder / kRecord),
                  .settings = read_run_settings(folder / "config.toml")};
  if (path_exists(folder / "log.jsonl")) run.curves = read_training_curves(folder / "log.jsonl");
  if (path_exists(folder / "metrics.json")) {
    run.metrics = read_metrics_of(run.record.data, folder / "metrics.json");
  }
  run.examples = read_example_photos(folder / "examples", run.record.data.classes.size(), photos);
  return run;
}

std::vector<fs::path> find_runs(const std::vector<std::string>& places) {
  std::vector<fs::path> found;
  for (const std::string& place : places) {
    if (!is_folder(place)) {
      throw bad_input(place + ": expected the folder of a training run, found " +
                          (path_exists(place) ? "a file" : "nothing"),
                      "give the output folders of tagclip train, or a folder that holds them");
    }
    std::set<fs::path> runs;
    collect_runs(without_slash(place), 0, runs);
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
