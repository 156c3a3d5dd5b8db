#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
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
  std::vector<bool> seen;  // per class: its labels may be learnt from
};

// Settings of a run that say how it is watched and kept, not what it computes.
const std::set<std::string>& free_settings();

// run.json of a run's folder: what ran, where, on what, for how long.
struct RunRecord {
  std::string tagclip, libtorch;  // versions
  std::string label;              // what the run is called in reports; may be empty
  int64_t seed = 0;
  std::string device, precision;
  int64_t ranks = 1;
  RunData data;
  int64_t iterations = 0;         // those the settings ask for
  std::string started, finished;  // as utc_time says it; `finished` is empty while it is not
  double seconds = 0;             // of computing so far, over all sessions
  int64_t trained_parameters = 0, all_parameters = 0;
};

// 2026-11-23T18:19:05Z
std::string utc_time(std::chrono::system_clock::time_point time);

// Appears whole or not at all. Throws Error(kFailure) when it cannot be written.
void write_run_record(const std::filesystem::path& path, const RunRecord& record);

// Throws Error(kBadInput) naming the file and the field when it is no such record.
RunRecord read_run_record(const std::filesystem::path& path);

// metrics.json of a run's folder: its last validation.
struct StoredMetrics {
  int64_t iteration = 0;
  SegmentationMetrics metrics{};
  std::vector<std::string> names;  // of the classes
  std::vector<bool> seen;
};

// Appears whole or not at all. Throws Error(kFailure) when it cannot be written.
void write_metrics_file(const std::filesystem::path& path, const StoredMetrics& stored);

// Throws Error(kBadInput) naming the file and the field when it holds no metrics.
StoredMetrics read_metrics_file(const std::filesystem::path& path);

}  // namespace tagclip
