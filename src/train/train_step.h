#pragma once

#include <optional>
#include <string>

#include "gpu/cuda_graph.h"
#include "model/dropout.h"
#include "model/losses.h"
#include "model/segmentation_model.h"
#include "ranks/world.h"
#include "train/step_input.h"
#include "train/train_config.h"

namespace tagclip {

struct TrainReport {
  int64_t iteration = 0;  // done, counted from 1
  double total = 0;       // loss: the sum of the weighted terms that follow, over all ranks
  double mask = 0, dice = 0;
  std::optional<double> trusty, presence;  // of models that have a trusty token, a presence head
  double lr = 0;
  double gradient_norm = 0;
  double images_per_second = 0;
  std::string set = {};  // the data set of the step; empty where there is one

  // True if loss and gradients are finite.
  bool finite() const;
};

// The number of a model's parameters: of those that are trained, and of all.
struct ParameterCounts {
  int64_t trained = 0, all = 0;
};
ParameterCounts count_parameters(const ParameterList& parameters);

// The way a GPU runs a step: as one captured graph, or operation by operation.
enum class Launch : uint8_t { kCudaGraph, kEager };

// One iteration of the recipe, in two halves: compute() the gradients, update() the parameters.
class TrainStep {
 public:
  // Trains the parameters that is_trained names, on the model's device. All arguments must outlive
  // the step. Several ranks always run eagerly: their collectives cannot be captured. So do several
  // data sets: their steps differ in the number of classes, and a graph of each would keep memory.
  TrainStep(SegmentationModel& model, const TrainConfig& config, const World& world,
            Launch launch = Launch::kCudaGraph);

  // Forward pass, losses and gradients. Each rank gives its part of the batch; gradients and losses
  // are averaged over the ranks. `iteration`, from 0, decides the learning rate and the dropout.
  // The caller fills in images_per_second and set.
  TrainReport compute(const StepInput& input, int64_t iteration);
  // Takes one optimizer step with the gradients of compute().
  void update(int64_t iteration);

  AdamW& optimizer() { return optimizer_; }
  const AdamW& optimizer() const { return optimizer_; }

 private:
  bool uses_cuda_graph() const;
  void start_graphs();
  void compute_gradients(const StepInput& input);
  MaskLogits forward(const StepInput& input);
  Targets label_hidden(const StepInput& input, const MaskLogits& logits) const;
  at::Tensor masks_per_rank(const at::Tensor& labels, int64_t classes) const;
  void average_gradients();
  at::Tensor values_of(const Losses& losses) const;
  TrainReport report() const;

  const SegmentationModel& model_;
  const TrainConfig& config_;
  const World& world_;
  Launch launch_;
  AdamW optimizer_;
  at::Generator generator_;
  StaticInput static_input_;
  CudaGraph gradients_graph_, update_graph_;
  at::Tensor values_;  // [6] float64: TrainReport's losses in its order, the gradients' norm
};

// The generator that draws dropout on a device.
at::Generator dropout_generator(at::Device device);
// Seeds `generator` for the dropout of that iteration.
void seed_dropout(at::Generator& generator, int64_t seed, int64_t iteration);

}  // namespace tagclip
