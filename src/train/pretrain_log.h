#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runs/event_file.h"
#include "train/pretrain.h"
#include "train/run_writer.h"

namespace tagclip {

// log.jsonl and the TensorBoard events of a pretraining run.
class PretrainLog {
 public:
  // Drops what a killed session wrote after step `done`, its last saved one, and validations after
  // step `validated`. All functions throw Error(kFailure) when a file cannot be written.
  PretrainLog(const std::filesystem::path& folder, int64_t done, int64_t validated);

  void add(const PretrainReport& report);
  void add(int64_t step, const PretrainMetrics& metrics);

 private:
  RunLog log_;
  EventFile events_;
};

// The measured quantities by their names in the log, in percent.
std::vector<std::pair<std::string, double>> named_values(const PretrainMetrics& metrics);

}  // namespace tagclip
