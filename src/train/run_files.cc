#include "train/run_files.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "draw/photo_grid.h"
#include "image/palette.h"
#include "image/png.h"
#include "metrics/segmentation_metrics.h"
#include "runs/run_record.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

constexpr size_t kGridPhotos = 4;  // in a picture for TensorBoard

// A photo's name may have folders in it.
std::string file_name(std::string name) {
  std::ranges::replace(name, '/', '_');
  return name;
}

Image grid(const std::vector<Prediction>& examples, const RunData& data) {
  std::vector<GridRow> rows;
  for (const Prediction& example : examples) {
    if (rows.size() < kGridPhotos) rows.push_back({example.photo, {example.labels, example.truth}});
  }
  return draw_photo_grid(rows, data.classes, data.seen);
}

}  // namespace

RunFiles::RunFiles(const fs::path& folder, RunRecord record, int64_t done, int64_t validated)
    : folder_(folder),
      record_(std::move(record)),
      log_(folder, done, validated),
      events_(folder, done + 1) {
  record_.started = utc_time(std::chrono::system_clock::now());
  const fs::path path = folder_ / "run.json";
  if (done > 0 && fs::exists(path)) {
    const RunRecord before = read_run_record(path);
    record_.started = before.started;
    seconds_before_ = before.seconds;
  }
  save_record(false);
}

void RunFiles::save_record(bool finished) {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin_;
  record_.seconds = seconds_before_ + seconds.count();
  record_.finished = finished ? utc_time(std::chrono::system_clock::now()) : "";
  write_run_record(folder_ / "run.json", record_);
}

void RunFiles::add(const TrainReport& report) {
  log_.add(report);
  const std::pair<const char*, double> values[] = {
      {"loss/total", report.total},
      {"loss/mask", report.mask},
      {"loss/dice", report.dice},
      {"loss/trusty", report.trusty},
      {"loss/presence", report.presence},
      {"training/learning_rate", report.lr},
      {"training/gradient_norm", report.gradient_norm},
      {"training/images_per_second", report.images_per_second}};
  for (const auto& [tag, value] : values) events_.add_scalar(report.iteration, tag, value);
}

void RunFiles::add(int64_t iteration, const Validation& validation) {
  const SegmentationMetrics& metrics = validation.metrics;
  log_.add(iteration, metrics);
  for (const SummaryField& field : kSummaryFields) {
    const double value = metrics.*field.value;
    if (!std::isnan(value)) {
      events_.add_scalar(iteration, "validation/" + std::string(field.name), value);
    }
  }
  for (size_t c = 0; c < metrics.iou.size(); ++c) {
    if (std::isnan(metrics.iou[c])) continue;
    const char* group = record_.data.seen[c] ? "IoU_seen/" : "IoU_unseen/";
    events_.add_scalar(iteration, group + record_.data.classes[c], metrics.iou[c]);
  }
  write_metrics_file(folder_ / "metrics.json",
                     {iteration, metrics, record_.data.classes, record_.data.seen});
  if (validation.examples.empty()) return;
  events_.add_image(iteration, "photo, prediction, truth", grid(validation.examples, record_.data));
  write_examples(validation.examples);
}

void RunFiles::write_examples(const std::vector<Prediction>& examples) const {
  const fs::path folder = folder_ / "examples";
  create_folders(folder);
  const std::vector<Colour> palette = result_palette(record_.data.classes.size());
  for (const Prediction& example : examples) {
    const fs::path stem = folder / file_name(example.name);
    write_png(stem.string() + ".photo.png", example.photo);
    write_label_map(stem.string() + ".labels.png", example.labels, palette);
    write_label_map(stem.string() + ".truth.png", example.truth, palette);
  }
}

}  // namespace tagclip
