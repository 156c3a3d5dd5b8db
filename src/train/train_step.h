#pragma once

#include "model/segmentation_model.h"
#include "train/sample_batches.h"
#include "train/train_config.h"

namespace tagclip {

struct TrainReport {
  int64_t iteration = 0;  // done
  // Weighted losses; 0 where absent.
  double total = 0, mask = 0, dice = 0, trusty = 0, presence = 0;
  double lr = 0;
  double gradient_norm = 0;
  double images_per_second = 0;
};

// One iteration of the recipe: forward pass, losses, gradients, update.
class TrainStep {
 public:
  // Trains what is_trained names of `model`, on the device it stands on. text [C, d], unit rows on
  // the same device: the training classes. `model` and `config` must outlive the step.
  TrainStep(SegmentationModel& model, at::Tensor text, const TrainConfig& config);

  // `iteration`, from 0, decides the learning rate and the dropout. images_per_second is left to
  // the caller. Throws Error(kFailure) when a loss or gradient is not finite, before the update.
  TrainReport operator()(const SampleBatch& batch, int64_t iteration);

  AdamW& optimizer() { return optimizer_; }
  const AdamW& optimizer() const { return optimizer_; }

 private:
  Losses forward(const SampleBatch& batch, int64_t iteration);

  const SegmentationModel& model_;
  at::Tensor text_;
  const TrainConfig& config_;
  AdamW optimizer_;
  at::Generator generator_;
};

// Makes `generator` draw the dropout of that iteration, whatever it drew before.
void seed_dropout(at::Generator& generator, int64_t seed, int64_t iteration);

}  // namespace tagclip
