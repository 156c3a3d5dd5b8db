#include "train/run_log.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "train/train_step.h"

namespace tagclip {
namespace {

// JSON knows no NaN.
nlohmann::json number(double value) {
  return std::isnan(value) ? nlohmann::json() : nlohmann::json(value);
}

// Whether `line` is whole, and about one of the first `done` iterations, or `validated` ones.
bool belongs(const std::string& line, int64_t done, int64_t validated) {
  const nlohmann::json entry = parse_bounded_json(line).value_or(nlohmann::json());
  if (!entry.is_object()) return false;
  return entry.value("iteration", done + 1) <= (entry.contains("loss") ? done : validated);
}

}  // namespace

RunLog::RunLog(const std::filesystem::path& folder, int64_t done, int64_t validated)
    : path_(folder / "log.jsonl") {
  std::ifstream before(path_);
  if (!before) return;
  std::string kept;
  for (std::string line; std::getline(before, line);) {
    if (belongs(line, done, validated)) kept += line + "\n";
  }
  write_file(path_, kept);
}

void RunLog::append(const std::string& line) {
  std::ofstream file(path_, std::ios::app);
  file << line << "\n" << std::flush;
  if (!file) throw failure("cannot write " + path_.string(), "is the disk full?");
}

void RunLog::add(const TrainReport& report) {
  append(nlohmann::ordered_json{{"iteration", report.iteration},
                                {"loss", report.total},
                                {"mask", report.mask},
                                {"dice", report.dice},
                                {"trusty", report.trusty},
                                {"presence", report.presence},
                                {"lr", report.lr},
                                {"gradient_norm", report.gradient_norm},
                                {"images_per_second", report.images_per_second}}
             .dump());
}

void RunLog::add(int64_t iteration, const SegmentationMetrics& validation) {
  append(nlohmann::ordered_json{{"iteration", iteration},
                                {"pAcc", number(validation.pixel_accuracy)},
                                {"mIoU", number(validation.mean_iou)},
                                {"mIoU(S)", number(validation.mean_iou_seen)},
                                {"mIoU(U)", number(validation.mean_iou_unseen)},
                                {"hIoU", number(validation.harmonic_iou)},
                                {"mAcc", number(validation.mean_accuracy)}}
             .dump());
}

}  // namespace tagclip
