#pragma once

#include <functional>
#include <vector>

namespace tagclip::bench {

struct Spread {
  double min = 0, median = 0, max = 0;
};

// `values` must not be empty. Of an even number the median is the mean of the middle two.
Spread spread_of(std::vector<double> values);

// Seconds of two ways to compute the same, run by turns: whatever else the machine does meets both.
struct PairedRuns {
  std::vector<double> ours, plain;

  // Plain's seconds over ours, pair by pair.
  Spread ratio() const;
};

// Hears after each pair how many are done; false ends the measurement.
using PairProgress = std::function<bool(int64_t done)>;

// Times ours, plain, ours, plain, ...: `pairs` of them, at least one and fewer when `progress` ends
// it.
PairedRuns run_by_turns(const std::function<void()>& ours, const std::function<void()>& plain,
                        int64_t pairs, const PairProgress& progress);

}  // namespace tagclip::bench
