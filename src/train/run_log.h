#pragma once

#include <cstdint>
#include <filesystem>

#include "metrics/segmentation_metrics.h"

namespace tagclip {

struct TrainReport;

// log.jsonl of a run: one JSON object a line.
class RunLog {
 public:
  // Drops what a killed run has written after iteration `done`, its last saved one, and validations
  // after iteration `validated`. Throws Error(kFailure), as the functions below do, when the file
  // cannot be written.
  RunLog(const std::filesystem::path& folder, int64_t done, int64_t validated);

  void add(const TrainReport& report);
  void add(int64_t iteration, const SegmentationMetrics& validation);

 private:
  void append(const std::string& line);

  std::filesystem::path path_;
};

}  // namespace tagclip
