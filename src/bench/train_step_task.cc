#include <cmath>

#include "bench/flops.h"
#include "bench/machine.h"
#include "bench/plain_step.h"
#include "bench/tasks.h"
#include "train/train_step.h"

namespace tagclip {
namespace {

// Relative; gradients are sums of millions of products.
constexpr double kLossLimit = 1e-5;
constexpr double kGradientLimit = 1e-3;

// Norm of the difference over the norm, of all gradients as one vector.
double gradient_difference(const SegmentationModel& model,
                           const std::map<std::string, at::Tensor>& plain) {
  double difference = 0, all = 0;
  for (const Parameter& parameter : model.parameters.trained()) {
    const at::Tensor& expected = plain.at(parameter.name);
    difference += (parameter.tensor.grad() - expected).square().sum().item<double>();
    all += expected.square().sum().item<double>();
  }
  return std::sqrt(difference / all);
}

// The recipe at full learning rate from the first step on.
TrainConfig recipe() {
  TrainConfig config;
  config.schedule.warmup = 0;
  return config;
}

}  // namespace

Measurement measure_train_step(const Workload& workload, int64_t photos, int64_t pairs,
                               const PairProgress& progress) {
  const TrainConfig config = recipe();
  SegmentationModel model = model_of(workload);
  const StepInput batch = random_batch(workload, photos);
  const Ranks alone;
  PlainStep plain(model, config);
  TrainStep step(model, config, alone);

  Measurement result{.workload = workload.name, .task = "train-step", .photos = photos};
  result.flops = train_step_flops(workload.model, workload.classes, photos);
  const PeakMemory our_memory;
  const double loss = step.compute(batch, 0).total;
  step.update(0);
  result.our_peak = our_memory.bytes();
  const PeakMemory plain_memory;
  const double plain_loss = plain(batch, 0);
  result.plain_peak = plain_memory.bytes();
  result.differences = {
      {"loss", std::abs(loss - plain_loss) / plain_loss, kLossLimit},
      {"gradients", gradient_difference(model, plain.gradients()), kGradientLimit}};

  int64_t our_iteration = 1, plain_iteration = 1;
  const auto our_step = [&] {
    step.compute(batch, our_iteration);
    step.update(our_iteration++);
  };
  result.runs = run_by_turns(our_step, [&] { plain(batch, plain_iteration++); }, pairs, progress);
  return result;
}

}  // namespace tagclip
