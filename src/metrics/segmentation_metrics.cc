#include "metrics/segmentation_metrics.h"

#include <limits>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? kNothing : static_cast<double>(part) / static_cast<double>(whole);
}

// What one class has in the truth, in the prediction, and in both.
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

// Over the classes that `wanted` picks and that are not NaN.
template <typename Wanted>
double mean(const std::vector<double>& values, Wanted wanted) {
  double sum = 0;
  int count = 0;
  for (size_t c = 0; c < values.size(); ++c) {
    if (!wanted(c) || values[c] != values[c]) continue;
    sum += values[c];
    ++count;
  }
  return count == 0 ? kNothing : sum / count;
}

double harmonic_mean(double a, double b) { return a + b == 0 ? 0 : 2 * a * b / (a + b); }

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

}  // namespace tagclip
