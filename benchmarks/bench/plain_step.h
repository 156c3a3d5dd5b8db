#pragma once

#include <map>
#include <string>

#include "bench/plain_model.h"
#include "train/train_step.h"

namespace tagclip::bench {

// TrainStep in plain LibTorch calls, AdamW parameter by parameter.
class PlainStep {
 public:
  // Shares the frozen parameters of `model`; the trained ones start as copies of its.
  PlainStep(const SegmentationModel& model, const TrainConfig& config);

  // The total loss. Draws the same dropout as TrainStep does in that iteration.
  double operator()(const StepInput& batch, int64_t iteration);

  // Of the last step, by parameter.
  std::map<std::string, at::Tensor> gradients() const;

 private:
  struct Slot {
    at::Tensor value, first_moment, second_moment;
  };

  MaskLogits logits(const StepInput& batch, const at::Generator& generator) const;
  at::Tensor loss(const StepInput& batch, int64_t iteration) const;
  void update(double lr);

  TrainConfig config_;
  PlainModel model_;
  std::map<std::string, Slot> slots_;  // of the trained parameters
  double steps_ = 0;
};

}  // namespace tagclip::bench
