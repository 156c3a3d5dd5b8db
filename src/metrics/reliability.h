#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tagclip {

// A score in [0, 1] made more or less sure: sigmoid(logit(score) / temperature). Scores keep their
// order.
double tempered(double score, double temperature);

// How far scores can be believed: of the pixels with scores around 0.7, are 70% right?
class Reliability {
 public:
  Reliability();

  void add(double score, bool is_right);
  bool empty() const;

  // The expected calibration error (Guo et al., ICML 2017) with 15 bins of equal width, of scores
  // made more or less sure: the mean over the pixels of |share that is right - mean score| of their
  // bin. NaN without pixels.
  double calibration_error(double temperature = 1) const;
  // The temperature, 0.05 to 20, that makes what is right most likely under the scores. 1 without
  // pixels.
  double best_temperature() const;

  // All counts, to be added up over processes.
  std::span<double> counts() { return counts_; }

 private:
  std::vector<double> counts_;  // [3, bins]: pixels, right ones, sum of scores
};

}  // namespace tagclip
