#include "metrics/reliability.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tagclip {
namespace {

constexpr size_t kBins = 4096;     // fine enough that a temperature moves their means alone
constexpr double kNearest = 1e-6;  // to 0 and 1

}  // namespace

double tempered(double score, double temperature) {
  if (temperature == 1) return score;
  const double p = std::clamp(score, kNearest, 1 - kNearest);
  return 1 / (1 + std::pow((1 - p) / p, 1 / temperature));
}

Reliability::Reliability() : counts_(3 * kBins) {}

void Reliability::add(double score, bool is_right) {
  const double p = std::clamp(score, 0.0, 1.0);
  const size_t bin = std::min(static_cast<size_t>(p * kBins), kBins - 1);
  ++counts_[bin];
  counts_[kBins + bin] += is_right;
  counts_[2 * kBins + bin] += p;
}

bool Reliability::empty() const {
  return std::all_of(counts_.begin(), counts_.begin() + kBins, [](double n) { return n == 0; });
}

double Reliability::calibration_error(double temperature) const {
  constexpr size_t kShown = 15;
  std::array<double, kShown> right{}, scores{};
  double pixels = 0;
  for (size_t b = 0; b < kBins; ++b) {
    const double n = counts_[b];
    if (n == 0) continue;
    const double score = tempered(counts_[2 * kBins + b] / n, temperature);
    const size_t shown = std::min(static_cast<size_t>(score * kShown), kShown - 1);
    right[shown] += counts_[kBins + b];
    scores[shown] += n * score;
    pixels += n;
  }
  if (pixels == 0) return std::numeric_limits<double>::quiet_NaN();
  double error = 0;
  for (size_t b = 0; b < kShown; ++b) error += std::abs(right[b] - scores[b]);
  return error / pixels;
}

double Reliability::best_temperature() const {
  if (empty()) return 1;
  const auto loss = [&](double log_temperature) {
    double sum = 0;
    for (size_t b = 0; b < kBins; ++b) {
      const double n = counts_[b], right = counts_[kBins + b];
      if (n == 0) continue;
      const double p = std::clamp(tempered(counts_[2 * kBins + b] / n, std::exp(log_temperature)),
                                  kNearest, 1 - kNearest);
      sum -= right * std::log(p) + (n - right) * std::log(1 - p);
    }
    return sum;
  };
  // Golden-section search: the loss has one minimum over 1/temperature, and so over its logarithm.
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(0.05), high = std::log(20.0);
  for (int i = 0; i < 60; ++i) {
    const double a = high - ratio * (high - low), b = low + ratio * (high - low);
    (loss(a) < loss(b) ? high : low) = loss(a) < loss(b) ? b : a;
  }
  return std::exp((low + high) / 2);
}

}  // namespace tagclip
