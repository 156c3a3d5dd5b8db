// The two ways metrics leave the program: a table for people, JSON for programs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "metrics/display_width.h"
#include "metrics/segmentation_metrics.h"
#include "metrics/summary_fields.h"

namespace tagclip {
namespace {

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
  for (const SummaryField& field : kSummaryFields) {
    table += fmt::format("{}{} {}", separator, field.name, percent(metrics.*field.value));
    separator = "  ";
  }
  return table + "\n";
}

std::string to_json(const SegmentationMetrics& metrics, const std::vector<std::string>& names,
                    const std::vector<bool>& seen) {
  check_sizes(metrics, names, seen);
  nlohmann::ordered_json json;
  for (const SummaryField& field : kSummaryFields) json[field.json_name] = metrics.*field.value;
  json["classes"] = per_class(metrics, names, seen);
  // A name that is not UTF-8 must not cost the numbers.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace tagclip
