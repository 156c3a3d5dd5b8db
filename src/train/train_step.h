#pragma once

#include "gpu/cuda_graph.h"
#include "model/dropout.h"
#include "model/losses.h"
#include "model/segmentation_model.h"
#include "ranks/ranks.h"
#include "train/held_input.h"
#include "train/step_classes.h"
#include "train/train_config.h"

namespace tagclip {

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

// Whether a GPU's share of a step is launched as one recording, or operation by operation.
enum class Launch : uint8_t { kRecorded, kEach };

// One iteration of the recipe, in two halves.
class TrainStep {
 public:
  // Trains what is_trained names of `model`, on the device it stands on. All arguments must outlive
  // the step. Several ranks never record: what they say to each other is not for a recording.
  TrainStep(SegmentationModel& model, const TrainConfig& config, const Ranks& ranks,
            Launch launch = Launch::kRecorded);

  // Forward pass, losses, gradients, averaged over the ranks, each of which gives its part of the
  // batch. `iteration`, from 0, decides the learning rate and the dropout. images_per_second is
  // left to the caller.
  TrainReport compute(const StepInput& input, int64_t iteration);
  // Changes the parameters as the gradients say.
  void update(int64_t iteration);

  AdamW& optimizer() { return optimizer_; }
  const AdamW& optimizer() const { return optimizer_; }

 private:
  bool records() const;
  void start_recordings();
  void compute_gradients(const StepInput& input);
  MaskLogits forward(const StepInput& input);
  Targets label_hidden(const StepInput& input, const MaskLogits& logits) const;
  at::Tensor masks_per_rank(const at::Tensor& labels, int64_t classes) const;
  void average_gradients();
  at::Tensor values_of(const Losses& losses) const;
  TrainReport report() const;

  const SegmentationModel& model_;
  const TrainConfig& config_;
  const Ranks& ranks_;
  Launch launch_;
  AdamW optimizer_;
  at::Generator generator_;
  HeldInput held_;
  CudaGraph gradients_work_, update_work_;
  at::Tensor values_;  // [6] float64: the losses of TrainReport in its order, norm of the gradients
};

// What draws dropout on a device.
at::Generator dropout_generator(at::Device device);
// Makes `generator` draw the dropout of that iteration, whatever it drew before.
void seed_dropout(at::Generator& generator, int64_t seed, int64_t iteration);

}  // namespace tagclip
