#pragma once

#include <cstdint>
#include <filesystem>

#include "metrics/segmentation_metrics.h"

namespace tagclip {

struct TrainReport;

// log.jsonl of a run: one JSON object a line, appended.
class RunLog {
 public:
  explicit RunLog(const std::filesystem::path& folder);

  void add(const TrainReport& report);
  void add(int64_t iteration, const SegmentationMetrics& validation);

 private:
  void append(const std::string& line);

  std::filesystem::path path_;
};

}  // namespace tagclip
