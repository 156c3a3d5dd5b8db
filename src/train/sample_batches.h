#pragma once

#include <ATen/ATen.h>

#include <mutex>
#include <vector>

#include "data/folder_dataset.h"
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
  SampleBatches(const TrainConfig& config, const FolderDataset& data);

  // Positions of the classes trained on in the data set's list.
  const std::vector<int64_t>& training_classes() const { return training_classes_; }
  // Safe to call from several threads. The memory is that of an earlier batch once nobody holds it.
  SampleBatch batch(int64_t iteration) const;

 private:
  SampleBatch memory() const;

  const TrainConfig& config_;
  const FolderDataset& data_;
  std::vector<int64_t> training_classes_;
  // By data set class, and one more for what is not labelled.
  std::vector<int64_t> training_index_;  // -1 = hidden
  std::vector<int8_t> familiar_;         // see Targets
  mutable std::mutex lending_;
  mutable std::vector<SampleBatch> lent_;  // every batch's memory, in use or not
};

}  // namespace tagclip
