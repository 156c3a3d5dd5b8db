#pragma once

#include <vector>

#include "bench/measurement.h"
#include "data/dataset.h"

namespace tagclip::bench {

// How fast one core makes training samples, from files to batches.
struct LoaderSpeed {
  int64_t samples = 0;
  double seconds = 0;         // the core's own, whatever else it is given to do
  std::vector<Stage> stages;  // seconds a sample, of a second, shorter pass

  double samples_per_second() const { return static_cast<double>(samples) / seconds; }
};

// Makes batches of 16 with the paper's augmentation in one thread until they hold at least
// `samples`; one batch before warms up. Throws Error(kBadInput) as reading the data set does.
LoaderSpeed measure_loader(const Dataset& data, int64_t samples);

}  // namespace tagclip::bench
