#include <cmath>
#include <optional>

#include "bench/flops.h"
#include "bench/machine.h"
#include "bench/plain_step.h"
#include "bench/tasks.h"
#include "train/mixed_precision.h"
#include "train/train_step.h"

namespace tagclip::bench {
namespace {

// How far ours may be from the plain step of float32, relative; gradients are sums of millions of
// products.
struct Limits {
  double loss, gradients;
};
constexpr Limits kExact{1e-5, 1e-3}, kMixed{0.01, 0.1};

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
TrainConfig recipe(bool mixed) {
  TrainConfig config;
  config.schedule.warmup = 0;
  if (mixed) config.precision = ComputePrecision::kBFloat16;
  return config;
}

// Our step, in mixed precision with the frozen matrices as Trainer keeps them. Between steps they
// are float32 again, for the plain step.
class OurStep {
 public:
  OurStep(SegmentationModel& model, bool mixed)
      : config_(recipe(mixed)), step_(model, config_, alone_) {
    if (!mixed) return;
    bf16_.emplace(frozen_matrices(model.parameters));
    between_steps_.emplace(*bf16_);
  }

  double operator()(const StepInput& batch) {
    between_steps_.reset();
    const double loss = step_.compute(batch, iteration_).total;
    step_.update(iteration_++);
    if (bf16_) between_steps_.emplace(*bf16_);
    return loss;
  }

 private:
  TrainConfig config_;
  World alone_;
  TrainStep step_;
  std::optional<FrozenBf16Weights> bf16_;
  std::optional<FrozenBf16Weights::Float32Scope> between_steps_;
  int64_t iteration_ = 0;
};

}  // namespace

Measurement measure_train_step(const Workload& workload, int64_t photos, int64_t pairs,
                               const PairProgress& progress) {
  const bool mixed = workload.precision == GemmPrecision::kBFloat16;
  SegmentationModel model = model_of(workload);
  const StepInput batch = random_batch(workload, photos);
  PlainStep plain(model, recipe(/*mixed=*/false));
  OurStep step(model, mixed);

  Measurement result{.workload = workload.name,
                     .task = "train-step",
                     .precision = std::string(name_of(workload.precision)),
                     .photos = photos};
  result.flops = train_step_flops(workload.model, workload.classes, photos);
  const PeakMemory our_memory;
  const double loss = step(batch);
  result.our_peak = our_memory.bytes();
  const PeakMemory plain_memory;
  const double plain_loss = plain(batch, 0);
  result.plain_peak = plain_memory.bytes();
  const Limits limits = mixed ? kMixed : kExact;
  result.differences = {
      {"loss", std::abs(loss - plain_loss) / plain_loss, limits.loss},
      {"gradients", gradient_difference(model, plain.gradients()), limits.gradients}};

  int64_t iteration = 1;
  result.runs =
      run_by_turns([&] { step(batch); }, [&] { plain(batch, iteration++); }, pairs, progress);
  return result;
}

}  // namespace tagclip::bench
