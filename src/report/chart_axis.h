#pragma once

#include <string>
#include <vector>

namespace tagclip {

// One axis of a chart: where a value lies on it, from 0 to 1, and which values are written there.
class ChartAxis {
 public:
  // Holds [low, high]; logarithmic where that was asked for and the values are positive and far
  // enough apart to need it.
  ChartAxis(double low, double high, bool logarithmic);

  double at(double value) const;
  const std::vector<double>& ticks() const { return ticks_; }

 private:
  double low_, high_;
  bool logarithmic_;
  std::vector<double> ticks_;
};

// "0.25", "1.5e-06", "20000"
std::string tick_label(double value);

}  // namespace tagclip
