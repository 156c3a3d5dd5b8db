#include "report/chart_axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tagclip {
namespace {

constexpr double kWideRange = 20;  // from which on a logarithm shows more

// 1, 2 or 5 times a power of ten, so that about four steps span the range.
double round_step(double range) {
  const double power = std::pow(10, std::floor(std::log10(range / 4)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= range / 4 * 0.8) return factor * power;
  }
  return 10 * power;
}

std::vector<double> even_ticks(double low, double high) {
  const double step = round_step(high - low);
  std::vector<double> ticks;
  const double first = std::ceil(low / step - 1e-9);
  for (int i = 0; i < 10 && (first + i) * step <= high + 1e-9 * step; ++i) {
    ticks.push_back((first + i) * step);
  }
  return ticks;
}

std::vector<double> powers_of_ten(double low, double high) {
  const auto first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
  const auto last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
  const int step = std::max(1, (last - first + 3) / 4);
  std::vector<double> ticks;
  for (int power = first; power <= last; power += step) ticks.push_back(std::pow(10, power));
  return ticks;
}

}  // namespace

ChartAxis::ChartAxis(double low, double high, bool logarithmic)
    : low_(low), high_(high), logarithmic_(logarithmic && low > 0 && high / low >= kWideRange) {
  if (!(high_ > low_)) {
    const double margin = low_ == 0 ? 1 : std::abs(low_) / 2;
    low_ -= margin;
    high_ += margin;
  }
  ticks_ = logarithmic_ ? powers_of_ten(low_, high_) : even_ticks(low_, high_);
}

double ChartAxis::at(double value) const {
  if (!logarithmic_) return (value - low_) / (high_ - low_);
  return std::log(value / low_) / std::log(high_ / low_);
}

std::string tick_label(double value) {
  if (std::abs(value) >= 1000 && std::abs(value) < 1e7) return fmt::format("{:.0f}", value);
  // A sum of steps that should be zero.
  return fmt::format("{:.3g}", std::abs(value) < 1e-12 ? 0 : value);
}

}  // namespace tagclip
