#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "train/train_config.h"

namespace tagclip {

// Labels as they are stored: a class of the data set, or this.
inline constexpr int64_t kVoid = 255;
// What a step's label maps hold for pixels that are no class's: background of every map, which
// self-training leaves alone (it replaces kHidden).
inline constexpr int64_t kIgnored = -2;

// What a step is taught (spec sections 5 and 9): the classes whose maps it trains, and what becomes
// of the stored labels.
struct StepClasses {
  std::vector<int64_t> classes;  // one a map, positions in the data set's list
  at::Tensor label;              // [256] int64, by stored label: a map, kHidden or kIgnored
  at::Tensor familiar;           // [256] int8: 1 seen, 0 unseen, -1 tells the trusty map nothing
  std::vector<int64_t> pseudo;   // maps that hidden pixels may be given to; empty: they stay hidden
};

// `seen`: per class of the data set. Depends on nothing but its arguments.
StepClasses step_classes(const TrainConfig& config, const std::vector<bool>& seen,
                         int64_t iteration);

// Whether labels of unseen classes are void from the moment they are read.
bool never_reads_unseen(const TrainConfig& config);

}  // namespace tagclip
