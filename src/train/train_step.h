#pragma once

#include "model/dropout.h"
#include "model/losses.h"
#include "model/segmentation_model.h"
#include "ranks/ranks.h"
#include "train/step_classes.h"
#include "train/train_config.h"

namespace tagclip {

// What one step looks at, on the model's device.
struct StepInput {
  at::Tensor pixels;            // [B, 3, H, W], normalised
  at::Tensor text;              // [C, d], unit rows: the classes that are trained
  Targets targets;              // of those classes
  std::vector<int64_t> pseudo;  // maps that pixels of kHidden are given to; empty: none
};

// Turns stored labels [B, H, W] into targets. text_of_all [C of the data set, d].
StepInput step_input(at::Tensor pixels, const at::Tensor& stored_labels,
                     const at::Tensor& text_of_all, const StepClasses& classes);

struct TrainReport {
  int64_t iteration = 0;  // done
  // Weighted losses, over all ranks; 0 where absent.
  double total = 0, mask = 0, dice = 0, trusty = 0, presence = 0;
  double lr = 0;
  double gradient_norm = 0;
  double images_per_second = 0;

  // Whether the loss and the gradients are numbers to go on with.
  bool finite() const;
};

// One iteration of the recipe, in two halves.
class TrainStep {
 public:
  // Trains what is_trained names of `model`, on the device it stands on. All arguments must outlive
  // the step.
  TrainStep(SegmentationModel& model, const TrainConfig& config, const Ranks& ranks);

  // Forward pass, losses, gradients, averaged over the ranks, each of which gives its part of the
  // batch. `iteration`, from 0, decides the learning rate and the dropout. images_per_second is
  // left to the caller.
  TrainReport compute(const StepInput& input, int64_t iteration);
  // Changes the parameters as the gradients say.
  void update(int64_t iteration);

  AdamW& optimizer() { return optimizer_; }
  const AdamW& optimizer() const { return optimizer_; }

 private:
  MaskLogits forward(const StepInput& input, int64_t iteration);
  Targets label_hidden(const StepInput& input, const MaskLogits& logits) const;
  double masks_per_rank(const at::Tensor& labels, int64_t classes) const;
  void average_gradients();
  TrainReport report(const Losses& losses) const;

  const SegmentationModel& model_;
  const TrainConfig& config_;
  const Ranks& ranks_;
  AdamW optimizer_;
  at::Generator generator_;
};

// Makes `generator` draw the dropout of that iteration, whatever it drew before.
void seed_dropout(at::Generator& generator, int64_t seed, int64_t iteration);

}  // namespace tagclip
