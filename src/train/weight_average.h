#pragma once

#include <cstdint>
#include <vector>

#include "clip/clip.h"

namespace tagclip {

// The exponential moving average of a CLIP's weights over the steps of its training (Polyak
// averaging): average <- decay average + (1 - decay) weights. Early steps take min(decay, (1 + n) /
// (10 + n)) after n steps, so that random start values are soon forgotten.
class WeightAverage {
 public:
  // Begins with the weights as they are, on their device.
  WeightAverage(const Clip& clip, double decay);

  // Takes the weights of `clip`, of the same sizes, after `steps` steps in all.
  void update(const Clip& clip, int64_t steps);

  const Clip& clip() const { return clip_; }
  // The averages under the names that a checkpoint has for them, to be saved and restored.
  std::vector<Parameter> parameters() const;

 private:
  Clip clip_;
  double decay_;
};

}  // namespace tagclip
