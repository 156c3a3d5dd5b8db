#include "train/train_step.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <random>

#include "model/losses.h"
#include "train/schedule.h"

namespace tagclip {
namespace {

std::vector<Parameter> trained_parameters(SegmentationModel& model) {
  model.set_trained();
  return model.parameters.trained();
}

at::Tensor look_up(const at::Tensor& table, const at::Tensor& labels) {
  return table.to(labels.device()).index({labels.to(at::kLong)});
}

}  // namespace

at::Generator dropout_generator(at::Device device) {
  return device.is_cpu() ? at::detail::createCPUGenerator()
                         : at::globalContext().defaultGenerator(device).clone();
}

void seed_dropout(at::Generator& generator, int64_t seed, int64_t iteration) {
  std::seed_seq sequence{seed, iteration, int64_t{-2}};
  generator.set_current_seed(std::mt19937_64(sequence)());
}

StepInput step_input(at::Tensor pixels, const at::Tensor& stored_labels,
                     const at::Tensor& text_of_all, const StepClasses& classes) {
  const at::Tensor rows = at::tensor(classes.classes, at::kLong).to(text_of_all.device());
  return {std::move(pixels),
          text_of_all.index_select(0, rows),
          {look_up(classes.label, stored_labels), look_up(classes.seen_mask, stored_labels)},
          classes.pseudo.empty()
              ? at::Tensor()
              : at::tensor(classes.pseudo, at::kLong).to(stored_labels.device())};
}

bool TrainReport::finite() const { return std::isfinite(total) && std::isfinite(gradient_norm); }

TrainStep::TrainStep(SegmentationModel& model, const TrainConfig& config, const Ranks& ranks,
                     Launch launch)
    : model_(model),
      config_(config),
      ranks_(ranks),
      launch_(launch),
      optimizer_(trained_parameters(model), config.optimizer),
      generator_(dropout_generator(model.device())) {}

bool TrainStep::records() const {
  return launch_ == Launch::kRecorded && ranks_.alone() && model_.device().is_cuda();
}

// The update reads the gradients where the other recording leaves them.
void TrainStep::start_recordings() {
  update_work_ = CudaGraph(model_.device());
  gradients_work_ = CudaGraph(model_.device(), {generator_});
}

TrainReport TrainStep::compute(const StepInput& input, int64_t iteration) {
  seed_dropout(generator_, config_.seed, iteration);
  if (records()) {
    if (!held_.hold(input)) start_recordings();
    gradients_work_([this] { compute_gradients(held_.get()); });
  } else {
    compute_gradients(input);
  }
  TrainReport result = report();
  result.iteration = iteration + 1;
  result.lr = learning_rate(config_.schedule, config_.optimizer.lr, iteration);
  return result;
}

void TrainStep::update(int64_t iteration) {
  optimizer_.set_learning_rate(learning_rate(config_.schedule, config_.optimizer.lr, iteration));
  update_work_([this] { optimizer_.step(); });
}

// Where it is recorded, the host waits for nothing in here.
void TrainStep::compute_gradients(const StepInput& input) {
  optimizer_.zero_grad();
  const MaskLogits logits = forward(input);
  const Targets targets = label_hidden(input, logits);
  const Losses losses =
      segmentation_losses(logits, targets, masks_per_rank(targets.labels, logits.classes.size(1)),
                          model_.config.protocol, config_.loss);
  losses.total().backward();
  average_gradients();
  values_ = values_of(losses);
}

MaskLogits TrainStep::forward(const StepInput& input) {
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
  if (!input.pseudo.defined()) return input.targets;
  const at::NoGradGuard no_grad;
  return {self_training_labels(logits.classes.detach(), input.targets.labels, input.pseudo),
          input.targets.seen_mask};
}

// num_masks is a mean over the ranks, so that the mean of their losses is the whole batch's.
at::Tensor TrainStep::masks_per_rank(const at::Tensor& labels, int64_t classes) const {
  at::Tensor masks = count_masks(labels, classes);
  if (ranks_.alone()) return masks;
  return at::scalar_tensor(ranks_.sum(masks.item<double>()) / static_cast<double>(ranks_.size()));
}

// One flat sum: many small ones would wait for the network each.
void TrainStep::average_gradients() {
  if (ranks_.alone()) return;
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> gradients = optimizer_.gradients();
  std::vector<at::Tensor> flat_gradients;
  flat_gradients.reserve(gradients.size());
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

at::Tensor TrainStep::values_of(const Losses& losses) const {
  const at::NoGradGuard no_grad;
  const at::Tensor total = losses.total();
  std::vector<at::Tensor> values;
  for (const at::Tensor& term : {total, losses.mask, losses.dice, losses.trusty, losses.presence}) {
    values.push_back(term.defined() ? term.to(at::kDouble)
                                    : at::zeros({}, total.options().dtype(at::kDouble)));
  }
  values.push_back(optimizer_.gradient_norm());
  return at::stack(values);
}

// The gradients are the same on all ranks.
TrainReport TrainStep::report() const {
  const at::Tensor values = values_.cpu();
  at::Tensor losses = values.narrow(0, 0, 5).clone();
  ranks_.sum(losses);
  const auto loss = [&](int64_t i) {
    return losses[i].item<double>() / static_cast<double>(ranks_.size());
  };
  return {.total = loss(0),
          .mask = loss(1),
          .dice = loss(2),
          .trusty = loss(3),
          .presence = loss(4),
          .gradient_norm = values[5].item<double>()};
}

}  // namespace tagclip
