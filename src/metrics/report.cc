// The two ways metrics leave the program: a table for people, JSON for programs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "metrics/display_width.h"
#include "metrics/segmentation_metrics.h"

namespace tagclip {
namespace {

struct Summary {
  const char* table_name;
  const char* json_name;
  double value;
};

std::vector<Summary> summary_of(const SegmentationMetrics& metrics) {
  return {{"pAcc", "pixel_accuracy", metrics.pixel_accuracy},
          {"mIoU", "mean_iou", metrics.mean_iou},
          {"mIoU(S)", "mean_iou_seen", metrics.mean_iou_seen},
          {"mIoU(U)", "mean_iou_unseen", metrics.mean_iou_unseen},
          {"hIoU", "harmonic_iou", metrics.harmonic_iou},
          {"mAcc", "mean_accuracy", metrics.mean_accuracy},
          {"mAcc(S)", "mean_accuracy_seen", metrics.mean_accuracy_seen},
          {"mAcc(U)", "mean_accuracy_unseen", metrics.mean_accuracy_unseen}};
}

std::string percent(double fraction) {
  return std::isnan(fraction) ? "-" : fmt::format("{:.2f}", 100 * fraction);
}

void check_sizes(const SegmentationMetrics& metrics, const std::vector<std::string>& names,
                 const std::vector<bool>& seen) {
  TAGCLIP_CHECK(names.size() == metrics.iou.size() && seen.size() == names.size(),
                "one name and one mark a class");
}

// JSON has no NaN: nlohmann writes null for it.
nlohmann::ordered_json per_class(const SegmentationMetrics& metrics,
                                 const std::vector<std::string>& names,
                                 const std::vector<bool>& seen) {
  auto classes = nlohmann::ordered_json::array();
  for (size_t c = 0; c < names.size(); ++c) {
    classes.push_back({{"name", names[c]},
                       {"seen", static_cast<bool>(seen[c])},
                       {"iou", metrics.iou[c]},
                       {"accuracy", metrics.accuracy[c]}});
  }
  return classes;
}

}  // namespace

std::string format_table(const SegmentationMetrics& metrics, const std::vector<std::string>& names,
                         const std::vector<bool>& seen) {
  check_sizes(metrics, names, seen);
  size_t name_width = display_width("class");
  for (const std::string& name : names) name_width = std::max(name_width, display_width(name));

  std::string table;
  const auto add_row = [&](const std::string& name, const char* mark, const std::string& iou,
                           const std::string& accuracy) {
    const std::string space(name_width - display_width(name), ' ');
    table += fmt::format("{}{}  {:<6}  {:>6}  {:>6}\n", name, space, mark, iou, accuracy);
  };
  add_row("class", "", "IoU", "Acc");
  for (size_t c = 0; c < names.size(); ++c) {
    add_row(names[c], seen[c] ? "seen" : "unseen", percent(metrics.iou[c]),
            percent(metrics.accuracy[c]));
  }
  std::string separator = "\n";
  for (const Summary& summary : summary_of(metrics)) {
    table += fmt::format("{}{} {}", separator, summary.table_name, percent(summary.value));
    separator = "  ";
  }
  return table + "\n";
}

std::string to_json(const SegmentationMetrics& metrics, const std::vector<std::string>& names,
                    const std::vector<bool>& seen) {
  check_sizes(metrics, names, seen);
  nlohmann::ordered_json json;
  for (const Summary& summary : summary_of(metrics)) json[summary.json_name] = summary.value;
  json["classes"] = per_class(metrics, names, seen);
  // A name that is not UTF-8 must not cost the numbers.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace tagclip
