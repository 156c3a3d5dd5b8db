#include "train/run_writer.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "draw/photo_grid.h"
#include "image/palette.h"
#include "image/png.h"
#include "runs/run_record.h"
#include "runs/training_run.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

constexpr size_t kGridRows = 4;  // of the image for TensorBoard

Image grid(const std::vector<Prediction>& examples, const RunData& data) {
  std::vector<GridRow> rows;
  for (const Prediction& example : examples) {
    if (rows.size() < kGridRows) rows.push_back({example.photo, {example.labels, example.truth}});
  }
  return draw_photo_grid(rows, data.classes, data.seen);
}

nlohmann::json number(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

// True if `line` is complete, and about one of the first `done` iterations or a validation of the
// first `validated`.
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
  nlohmann::ordered_json line = {{"iteration", report.iteration},
                                 {"loss", report.total},
                                 {"mask", report.mask},
                                 {"dice", report.dice},
                                 {"trusty", number(report.trusty)},
                                 {"presence", number(report.presence)},
                                 {"lr", report.lr},
                                 {"gradient_norm", report.gradient_norm},
                                 {"images_per_second", report.images_per_second}};
  if (!report.set.empty()) line["set"] = report.set;
  append(json_text(line));
}

void RunLog::add(int64_t iteration, const Validation& validation) {
  const SegmentationMetrics& metrics = validation.metrics;
  // JSON has no NaN: it becomes null.
  nlohmann::ordered_json line = {{"iteration", iteration},
                                 {"pAcc", metrics.pixel_accuracy},
                                 {"mIoU", metrics.mean_iou},
                                 {"mIoU(S)", metrics.mean_iou_seen},
                                 {"mIoU(U)", metrics.mean_iou_unseen},
                                 {"hIoU", metrics.harmonic_iou},
                                 {"mAcc", metrics.mean_accuracy}};
  for (const auto& [name, of_set] : validation.sets) {
    line[name + "/pAcc"] = of_set.pixel_accuracy;
    line[name + "/mIoU"] = of_set.mean_iou;
    line[name + "/hIoU"] = of_set.harmonic_iou;
  }
  append(json_text(line));
}

RunWriter::RunWriter(const fs::path& folder, RunRecord record, int64_t done, int64_t validated)
    : folder_(folder),
      record_(std::move(record)),
      log_(folder, done, validated),
      events_(folder, done + 1) {
  record_.started = utc_time(std::chrono::system_clock::now());
  const fs::path path = folder_ / "run.json";
  if (done > 0 && path_exists(path)) {
    const RunRecord before = read_run_record(path);
    record_.started = before.started;
    seconds_before_ = before.seconds;
  }
  save_record(false);
}

void RunWriter::save_record(bool finished) {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin_;
  record_.seconds = seconds_before_ + seconds.count();
  record_.finished = finished ? utc_time(std::chrono::system_clock::now()) : "";
  write_run_record(folder_ / "run.json", record_);
}

void RunWriter::add(const TrainReport& report) {
  log_.add(report);
  const std::pair<const char*, std::optional<double>> values[] = {
      {"loss/total", report.total},
      {"loss/mask", report.mask},
      {"loss/dice", report.dice},
      {"loss/trusty", report.trusty},
      {"loss/presence", report.presence},
      {"training/learning_rate", report.lr},
      {"training/gradient_norm", report.gradient_norm},
      {"training/images_per_second", report.images_per_second}};
  for (const auto& [tag, value] : values) {
    if (value) events_.add_scalar(report.iteration, tag, *value);
  }
  if (!report.set.empty()) {
    events_.add_scalar(report.iteration, "loss of a data set/" + report.set, report.total);
  }
}

void RunWriter::add(int64_t iteration, const Validation& validation) {
  const SegmentationMetrics& metrics = validation.metrics;
  log_.add(iteration, validation);
  const auto add_summary = [&](const std::string& group, const SegmentationMetrics& of) {
    for (const SummaryField& field : kSummaryFields) {
      const double value = of.*field.value;
      if (!std::isnan(value)) events_.add_scalar(iteration, group + "/" + field.name, value);
    }
  };
  add_summary("validation", metrics);
  for (const auto& [name, of_set] : validation.sets) add_summary("validation of " + name, of_set);
  for (size_t c = 0; c < metrics.iou.size(); ++c) {
    if (std::isnan(metrics.iou[c])) continue;
    const char* group = record_.data.seen[c] ? "IoU_seen/" : "IoU_unseen/";
    events_.add_scalar(iteration, group + record_.data.classes[c], metrics.iou[c]);
  }
  write_metrics_file(folder_ / "metrics.json",
                     {.iteration = iteration,
                      .metrics = metrics,
                      .names = record_.data.classes,
                      .seen = record_.data.seen,
                      .sets = validation.sets,
                      .milliseconds_per_photo = validation.milliseconds_per_photo});
  if (validation.examples.empty()) return;
  events_.add_image(iteration, "photo, prediction, truth", grid(validation.examples, record_.data));
  write_examples(validation.examples);
}

void RunWriter::write_examples(const std::vector<Prediction>& examples) const {
  const fs::path folder = folder_ / "examples";
  create_folders(folder);
  const std::vector<Colour> palette = result_palette(record_.data.classes.size());
  for (const Prediction& example : examples) {
    const fs::path stem = folder / example_name(example.name);
    write_png(stem.string() + ".photo.png", example.photo);
    write_label_map(stem.string() + ".labels.png", example.labels, palette);
    write_label_map(stem.string() + ".truth.png", example.truth, palette);
  }
}

}  // namespace tagclip
