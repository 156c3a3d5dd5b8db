#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "metrics/segmentation_metrics.h"

namespace tagclip {

// The data set of a run.
struct RunData {
  std::string folder;
  int64_t train = 0, val = 0;  // photos
  std::vector<std::string> classes;
  std::vector<bool> seen;  // per class: whether training may use its labels
};

// Returns the settings that do not change a run's result: where it is kept, how often it reports.
const std::set<std::string>& free_settings();
// Returns true for settings that only say where something lies, or how it is read, whose content
// the run is bound to.
bool is_known_by_content(const std::string& setting);

// run.json of a run's folder: which program ran on which data and device, and for how long.
struct RunRecord {
  std::string tagclip, libtorch;  // versions
  std::string label;              // the run's name in reports; may be empty
  int64_t seed = 0;
  std::string device, precision;
  int64_t ranks = 1;
  RunData data;
  // Fingerprint of what the files say that the run learnt from and was measured on: the CLIP or the
  // trained model, photos, words, splits. Empty in runs of earlier versions.
  std::string contents;
  int64_t iterations = 0;         // of the whole schedule
  std::string started, finished;  // utc_time; `finished` is empty before the end
  double seconds = 0;             // computing time so far, over all sessions
  int64_t trained_parameters = 0, all_parameters = 0;
};

// Returns an ISO 8601 time: 2026-11-23T18:19:05Z.
std::string utc_time(std::chrono::system_clock::time_point time);

// Writes the file whole or not at all. Throws Error(kFailure) when it cannot be written.
void write_run_record(const std::filesystem::path& path, const RunRecord& record);

// Throws Error(kBadInput) naming the file and the field that is missing or wrong.
RunRecord read_run_record(const std::filesystem::path& path);

// Holds the last validation: metrics.json of a run's folder.
struct StoredMetrics {
  int64_t iteration = 0;
  SegmentationMetrics metrics{};
  std::vector<std::string> names;  // of the classes
  std::vector<bool> seen;          // per class
  // Holds the summaries of several data sets, without their classes; empty where there is one.
  std::vector<SetMetrics> sets = {};
  // Gives the validation's wall time per photo; NaN where it was not measured.
  double milliseconds_per_photo = std::numeric_limits<double>::quiet_NaN();
};

// Writes the file whole or not at all. Throws Error(kFailure) when it cannot be written.
void write_metrics_file(const std::filesystem::path& path, const StoredMetrics& stored);

// Throws Error(kBadInput) naming the file and the field that is missing or wrong.
StoredMetrics read_metrics_file(const std::filesystem::path& path);

}  // namespace tagclip
