#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "train/train_config.h"

namespace tagclip {

// What stands for void in batches of stored labels, beside the data set's classes: 255, as in label
// files, unless that is a class.
int64_t void_label(size_t classes);

// What a step's label maps hold for pixels that are no class's: background of every map, which
// self-training leaves alone (it replaces kHiddenClass).
inline constexpr int64_t kIgnored = -2;

// What a step is taught (spec sections 5 and 9): the classes whose maps it trains, and what becomes
// of the stored labels.
struct StepClasses {
  std::vector<int64_t> classes;  // one a map, positions in the data set's list
  at::Tensor label;      // [void_label + 1] int64, by stored label: a map, kHiddenClass or kIgnored
  at::Tensor seen_mask;  // the same, int8: 1 seen, 0 unseen, -1 tells the trusty map nothing
  std::vector<int64_t> pseudo;  // maps that hidden pixels may be given to; empty: they stay hidden
};

// `seen`: per class of the data set. Depends on nothing but its arguments.
StepClasses step_classes(const TrainConfig& config, const std::vector<bool>& seen,
                         int64_t iteration);

// Whether labels of unseen classes are void from the moment they are read.
bool never_reads_unseen(const TrainConfig& config);

}  // namespace tagclip
