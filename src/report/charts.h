#pragma once

#include <string>
#include <vector>

#include "report/run_groups.h"

namespace tagclip {

// Represents an axis of a chart: maps values to positions from 0 to 1, and chooses which to label.
class ChartAxis {
 public:
  // Covers [low, high]. Logarithmic where that is asked for and `low` is positive.
  ChartAxis(double low, double high, bool logarithmic);

  double at(double value) const;
  const std::vector<double>& ticks() const { return ticks_; }

 private:
  double low_, high_;
  bool logarithmic_;
  std::vector<double> ticks_;
};

// Returns a short text for a value: "0.25", "1.5e-06", "20000".
std::string tick_label(double value);

// Returns HTML with a chart of every logged quantity over the iterations: losses, learning rate and
// speed first, then the validation metrics; one line per run in its group's colour. Long curves are
// averaged over neighbouring points. A quantity that no run has is left out. Empty when nothing was
// logged.
std::string curve_charts(const std::vector<RunGroup>& groups);

// Returns HTML with mIoU(S), mIoU(U) and hIoU over the weight of the trusty loss (gamma of Eq. 11),
// as in the paper's Figure 5: a chart per set of groups that differ in gamma alone, means over the
// seeds with their standard deviation, on a logarithmic axis. Empty where there is no such set.
std::string gamma_charts(const std::vector<RunGroup>& groups);

// Returns HTML with the IoU of every class as bars, one per group, unseen classes first, as in the
// paper's Figure 6; a mark shows the value that the paper gives for that class. `groups` are of one
// data set, `all` gives them their colours. Empty where no group has been validated.
std::string class_bars(const std::vector<const RunGroup*>& groups,
                       const std::vector<RunGroup>& all);

}  // namespace tagclip
