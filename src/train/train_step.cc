#include "train/train_step.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "model/self_training.h"
#include "train/schedule.h"

namespace tagclip {
namespace {

at::Generator make_generator(at::Device device) {
  return device.is_cpu() ? at::detail::createCPUGenerator()
                         : at::globalContext().defaultGenerator(device).clone();
}

std::vector<Parameter> trained_parameters(SegmentationModel& model) {
  model.set_trained();
  return model.parameters.trained();
}

at::Tensor look_up(const at::Tensor& table, const at::Tensor& labels) {
  return table.to(labels.device()).index({labels.to(at::kLong)});
}

}  // namespace

void seed_dropout(at::Generator& generator, int64_t seed, int64_t iteration) {
  std::seed_seq sequence{seed, iteration, int64_t{-2}};
  generator.set_current_seed(std::mt19937_64(sequence)());
}

StepInput step_input(at::Tensor pixels, const at::Tensor& stored_labels,
                     const at::Tensor& text_of_all, const StepClasses& classes) {
  const at::Tensor rows = at::tensor(classes.classes, at::kLong).to(text_of_all.device());
  return {std::move(pixels),
          text_of_all.index_select(0, rows),
          {look_up(classes.label, stored_labels), look_up(classes.familiar, stored_labels)},
          classes.pseudo};
}

bool TrainReport::finite() const { return std::isfinite(total) && std::isfinite(gradient_norm); }

TrainStep::TrainStep(SegmentationModel& model, const TrainConfig& config, const Ranks& ranks)
    : model_(model),
      config_(config),
      ranks_(ranks),
      optimizer_(trained_parameters(model), config.optimizer),
      generator_(make_generator(model.device())) {}

TrainReport TrainStep::compute(const StepInput& input, int64_t iteration) {
  optimizer_.zero_grad();
  const MaskLogits logits = forward(input, iteration);
  const Targets targets = label_hidden(input, logits);
  const Losses losses =
      segmentation_losses(logits, targets, masks_per_rank(targets.labels, logits.classes.size(1)),
                          model_.config.protocol, config_.loss);
  losses.total().backward();
  average_gradients();

  TrainReport result = report(losses);
  result.iteration = iteration + 1;
  result.lr = learning_rate(config_.schedule, config_.optimizer.lr, iteration);
  return result;
}

void TrainStep::update(int64_t iteration) {
  optimizer_.step(learning_rate(config_.schedule, config_.optimizer.lr, iteration));
}

MaskLogits TrainStep::forward(const StepInput& input, int64_t iteration) {
  seed_dropout(generator_, config_.seed, iteration);
  const BatchShare share{ranks_.rank(), ranks_.size()};
  const Dropout prompts(config_.prompt_dropout, generator_, share),
      decoder(config_.decoder_dropout, generator_, share);
  const bool mixed = config_.precision == ComputePrecision::kBFloat16;
  MaskLogits logits;
  {
    AutocastGuard autocast(mixed, model_.device().type());
    logits = model_.head(model_.encoder(input.pixels, prompts), input.text, decoder);
  }
  for (at::Tensor* part : {&logits.classes, &logits.trusty, &logits.presence}) {
    if (part->defined()) *part = part->to(at::kFloat);
  }
  return logits;
}

Targets TrainStep::label_hidden(const StepInput& input, const MaskLogits& logits) const {
  if (input.pseudo.empty()) return input.targets;
  const at::NoGradGuard no_grad;
  return {self_training_labels(logits.classes.detach(), input.targets.labels, input.pseudo),
          input.targets.familiar};
}

// num_masks is a mean over the ranks, so that the mean of their losses is the whole batch's.
double TrainStep::masks_per_rank(const at::Tensor& labels, int64_t classes) const {
  const auto masks = static_cast<double>(count_masks(labels, classes));
  return std::max(1.0, ranks_.sum(masks) / static_cast<double>(ranks_.size()));
}

// One flat sum: many small ones would wait for the network each.
void TrainStep::average_gradients() {
  if (ranks_.alone()) return;
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> gradients = optimizer_.gradients();
  std::vector<at::Tensor> flat_gradients;
  for (const at::Tensor& gradient : gradients) flat_gradients.push_back(gradient.flatten());
  at::Tensor all = at::cat(flat_gradients);
  ranks_.sum(all);
  all.div_(static_cast<double>(ranks_.size()));
  int64_t begin = 0;
  for (const at::Tensor& gradient : gradients) {
    at::Tensor(gradient).copy_(all.narrow(0, begin, gradient.numel()).view_as(gradient));
    begin += gradient.numel();
  }
}

TrainReport TrainStep::report(const Losses& losses) const {
  const std::array<at::Tensor, 5> terms = {losses.total(), losses.mask, losses.dice, losses.trusty,
                                           losses.presence};
  at::Tensor values = at::zeros({terms.size()}, at::kDouble);
  for (size_t i = 0; i < terms.size(); ++i) {
    if (terms[i].defined()) values[static_cast<int64_t>(i)] = terms[i].item<double>();
  }
  ranks_.sum(values);
  const auto value = [&](int64_t i) {
    return values[i].item<double>() / static_cast<double>(ranks_.size());
  };
  return {.total = value(0),
          .mask = value(1),
          .dice = value(2),
          .trusty = value(3),
          .presence = value(4),
          .gradient_norm = optimizer_.gradient_norm()};
}

}  // namespace tagclip
