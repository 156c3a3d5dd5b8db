#include "bench/plain_step.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "train/optimizer.h"
#include "train/train_step.h"

namespace tagclip::bench {
namespace {

std::map<std::string, at::Tensor> with_own_trained(const SegmentationModel& model) {
  std::map<std::string, at::Tensor> parameters = parameters_by_name(model);
  for (auto& [name, value] : parameters) {
    if (is_trained(name, model.config)) value = value.detach().clone().requires_grad_();
  }
  return parameters;
}

}  // namespace

PlainStep::PlainStep(const SegmentationModel& model, const TrainConfig& config)
    : config_(config), model_(model.config, with_own_trained(model)) {
  for (const auto& [name, value] : model_.parameters()) {
    if (value.requires_grad()) slots_[name] = {value, at::zeros_like(value), at::zeros_like(value)};
  }
}

double PlainStep::operator()(const StepInput& batch, int64_t iteration) {
  for (auto& [name, slot] : slots_) slot.value.mutable_grad().reset();
  const at::Tensor total = loss(batch, iteration);
  total.backward();
  update(learning_rate(config_.schedule, config_.optimizer.lr, iteration));
  return total.item<double>();
}

MaskLogits PlainStep::logits(const StepInput& batch, const at::Generator& generator) const {
  const bool mixed = config_.precision == ComputePrecision::kBFloat16;
  const AutocastGuard autocast(mixed, batch.pixels.device().type());
  MaskLogits logits = model_(batch.pixels, batch.text, Dropout(config_.prompt_dropout, generator),
                             Dropout(config_.decoder_dropout, generator));
  logits.classes = logits.classes.to(at::kFloat);
  logits.trusty = logits.trusty.to(at::kFloat);
  return logits;
}

at::Tensor PlainStep::loss(const StepInput& batch, int64_t iteration) const {
  at::Generator generator = dropout_generator(batch.pixels.device());
  seed_dropout(generator, config_.seed, iteration);
  const MaskLogits logits = this->logits(batch, generator);
  const at::Tensor masks = count_masks(batch.targets.labels, batch.text.size(0));
  return reference_segmentation_losses(logits, batch.targets, masks, Protocol::kReleased,
                                       config_.loss)
      .total();
}

void PlainStep::update(double lr) {
  at::NoGradGuard no_grad;
  const AdamWConfig& adamw = config_.optimizer;
  ++steps_;
  const double first_correction = 1 - std::pow(adamw.beta1, steps_);
  const double second_correction = 1 - std::pow(adamw.beta2, steps_);
  for (auto& [name, slot] : slots_) {
    const at::Tensor& gradient = slot.value.grad();
    slot.value.mul_(1 - lr * adamw.weight_decay);
    slot.first_moment.lerp_(gradient, 1 - adamw.beta1);
    slot.second_moment.mul_(adamw.beta2).addcmul_(gradient, gradient, 1 - adamw.beta2);
    const at::Tensor deviation =
        (slot.second_moment.sqrt() / std::sqrt(second_correction)).add_(adamw.epsilon);
    slot.value.addcdiv_(slot.first_moment, deviation, -lr / first_correction);
  }
}

std::map<std::string, at::Tensor> PlainStep::gradients() const {
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, slot] : slots_) result[name] = slot.value.grad();
  return result;
}

}  // namespace tagclip::bench
