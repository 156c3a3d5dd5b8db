#pragma once

#include <limits>
#include <vector>

namespace tagclip {

// Returns the mean of the values that are not NaN; NaN where there is none.
inline double known_mean(const std::vector<double>& values) {
  double sum = 0;
  int count = 0;
  for (const double value : values) {
    if (value != value) continue;
    sum += value;
    ++count;
  }
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / count;
}

}  // namespace tagclip
