#include "metrics/segmentation_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/text.h"
#include "metrics/known_mean.h"

// The two ways metrics leave the program: a table for people, JSON for programs.

namespace tagclip {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? kNothing : static_cast<double>(part) / static_cast<double>(whole);
}

// Counts the pixels of one class in the ground truth, in the prediction, and in both.
struct Areas {
  int64_t truth = 0, predicted = 0, both = 0;
};

std::vector<Areas> measure_areas(const ConfusionMatrix& confusion) {
  std::vector<Areas> areas(confusion.classes());
  for (int truth = 0; truth < confusion.classes(); ++truth) {
    areas[truth].truth += confusion.missed(truth);
    areas[truth].both = confusion.at(truth, truth);
    for (int predicted = 0; predicted < confusion.classes(); ++predicted) {
      const int64_t pixels = confusion.at(truth, predicted);
      areas[truth].truth += pixels;
      areas[predicted].predicted += pixels;
    }
  }
  return areas;
}

// Returns the mean over the classes for which `wanted` holds and that are not NaN.
template <typename Wanted>
double mean(const std::vector<double>& values, Wanted wanted) {
  std::vector<double> chosen;
  for (size_t c = 0; c < values.size(); ++c) {
    if (wanted(c)) chosen.push_back(values[c]);
  }
  return known_mean(chosen);
}

double harmonic_mean(double a, double b) { return a + b == 0 ? 0 : 2 * a * b / (a + b); }

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

SegmentationMetrics summarise(const ConfusionMatrix& confusion, const std::vector<bool>& seen) {
  TAGCLIP_CHECK(seen.size() == static_cast<size_t>(confusion.classes()), "one mark a class");
  SegmentationMetrics metrics;
  Areas total;
  for (const Areas& areas : measure_areas(confusion)) {
    metrics.iou.push_back(ratio(areas.both, areas.truth + areas.predicted - areas.both));
    metrics.accuracy.push_back(ratio(areas.both, areas.truth));
    total.truth += areas.truth;
    total.both += areas.both;
  }
  const auto any = [](size_t) { return true; };
  const auto is_seen = [&](size_t c) { return seen[c]; };
  const auto is_unseen = [&](size_t c) { return !seen[c]; };
  metrics.pixel_accuracy = ratio(total.both, total.truth);
  metrics.mean_iou = mean(metrics.iou, any);
  metrics.mean_iou_seen = mean(metrics.iou, is_seen);
  metrics.mean_iou_unseen = mean(metrics.iou, is_unseen);
  metrics.harmonic_iou = harmonic_mean(metrics.mean_iou_seen, metrics.mean_iou_unseen);
  metrics.mean_accuracy = mean(metrics.accuracy, any);
  metrics.mean_accuracy_seen = mean(metrics.accuracy, is_seen);
  metrics.mean_accuracy_unseen = mean(metrics.accuracy, is_unseen);
  return metrics;
}

SegmentationMetrics together(const std::vector<SetMetrics>& sets) {
  SegmentationMetrics all{};
  for (const SummaryField& field : kSummaryFields) {
    std::vector<double> values;
    for (const SetMetrics& set : sets) values.push_back(set.metrics.*field.value);
    all.*field.value = mean(values, [](size_t) { return true; });
  }
  for (const auto& [name, metrics] : sets) {
    all.iou.insert(all.iou.end(), metrics.iou.begin(), metrics.iou.end());
    all.accuracy.insert(all.accuracy.end(), metrics.accuracy.begin(), metrics.accuracy.end());
  }
  return all;
}

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
    add_row(names[c], seen[c] ? "seen" : "unseen", percent(metrics.iou[c], 2),
            percent(metrics.accuracy[c], 2));
  }
  std::string separator = "\n";
  for (const SummaryField& field : kSummaryFields) {
    table += fmt::format("{}{} {}", separator, field.name, percent(metrics.*field.value, 2));
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
  return json_text(json, 2) + "\n";
}

}  // namespace tagclip
