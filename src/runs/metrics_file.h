#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "metrics/segmentation_metrics.h"

namespace tagclip {

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
