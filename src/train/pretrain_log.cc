#include "train/pretrain_log.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace tagclip {

PretrainLog::PretrainLog(const std::filesystem::path& folder, int64_t done, int64_t validated)
    : log_(folder, done, validated), events_(folder, done + 1) {}

void PretrainLog::add(const PretrainReport& report) {
  nlohmann::ordered_json line = {{"iteration", report.step}};
  const auto put = [&](const char* name, const char* tag, const std::optional<double>& value) {
    if (!value) return;
    line[name] = *value;
    events_.add_scalar(report.step, tag, *value);
  };
  put("loss", "loss/total", report.losses.total);
  put("contrastive", "loss/contrastive", report.losses.contrastive);
  put("names", "loss/names", report.losses.names);
  put("labels", "loss/labels", report.losses.labels);
  put("lr", "training/learning_rate", report.lr);
  put("images_per_second", "training/images_per_second", report.images_per_second);
  log_.append(line.dump());
}

void PretrainLog::add(int64_t step, const PretrainMetrics& metrics) {
  nlohmann::ordered_json line = {{"iteration", step}};
  for (const auto& [name, value] : named_values(metrics)) {
    line[name] = value;
    events_.add_scalar(step, "validation/" + name, value);
  }
  log_.append(line.dump());
}

std::vector<std::pair<std::string, double>> named_values(const PretrainMetrics& metrics) {
  std::vector<std::pair<std::string, double>> values;
  const auto add = [&](const std::string& name, std::optional<double> share) {
    if (share && !std::isnan(*share)) values.emplace_back(name, 100 * *share);
  };
  add("zero-shot", metrics.zero_shot);
  add("image to text", metrics.image_to_text);
  add("text to image", metrics.text_to_image);
  for (const PretrainMetrics::Set& set : metrics.sets) {
    add(set.name + " mIoU", set.metrics.mean_iou);
    add(set.name + " pAcc", set.metrics.pixel_accuracy);
  }
  return values;
}

}  // namespace tagclip
