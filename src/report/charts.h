#pragma once

#include <string>
#include <vector>

#include "report/run_groups.h"

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

// HTML with a chart for every quantity the runs have logged: losses, learning rate and pace first,
// then the validations; a line a run, in its group's colour. Lines of many points are drawn by the
// means of neighbouring ones. Empty when nothing was logged.
std::string curve_charts(const std::vector<RunGroup>& groups);

// HTML with the IoU of every class as bars, a bar a group, unseen classes first, as in the paper's
// Figure 6. The groups are of one data set; `all` gives them their colours. Empty where none of
// them has been validated.
std::string class_bars(const std::vector<const RunGroup*>& groups,
                       const std::vector<RunGroup>& all);

}  // namespace tagclip
