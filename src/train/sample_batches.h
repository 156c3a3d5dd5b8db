#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "data/dataset.h"
#include "model/losses.h"
#include "train/train_config.h"

namespace tagclip {

struct SampleBatch {
  at::Tensor pixels;  // [B, 3, crop, crop]
  Targets targets;    // labels count the training classes
};

// Draws augmented training batches: every photo once an epoch in shuffled order. A batch depends on
// nothing but the seed and its iteration.
class SampleBatches {
 public:
  SampleBatches(const TrainConfig& config, const Dataset& data);

  // Positions of the classes trained on in the data set's list.
  const std::vector<int64_t>& training_classes() const { return training_classes_; }
  SampleBatch batch(int64_t iteration) const;

 private:
  const TrainConfig& config_;
  const Dataset& data_;
  std::vector<int64_t> training_classes_;
  std::vector<int64_t> training_index_;  // by data set class; -1 = hidden
};

}  // namespace tagclip
