#include "train/train_step.h"

#include <c10/util/StringUtil.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/error.h"

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

TrainReport report_of(const Losses& losses, double gradient_norm) {
  const auto value = [](const at::Tensor& term) {
    return term.defined() ? term.item<double>() : 0;
  };
  return {.total = value(losses.total()),
          .mask = value(losses.mask),
          .dice = value(losses.dice),
          .trusty = value(losses.trusty),
          .presence = value(losses.presence),
          .gradient_norm = gradient_norm};
}

void check_finite(const TrainReport& report) {
  if (std::isfinite(report.total) && std::isfinite(report.gradient_norm)) return;
  throw failure(c10::str("iteration ", report.iteration, ": the loss is ", report.total,
                         ", the norm of the gradients ", report.gradient_norm),
                "the parameters are as they were before it; lower optimizer.lr, or use float32");
}

}  // namespace

void seed_dropout(at::Generator& generator, int64_t seed, int64_t iteration) {
  std::seed_seq sequence{seed, iteration, int64_t{-2}};
  generator.set_current_seed(std::mt19937_64(sequence)());
}

TrainStep::TrainStep(SegmentationModel& model, at::Tensor text, const TrainConfig& config)
    : model_(model),
      text_(std::move(text)),
      config_(config),
      optimizer_(trained_parameters(model), config.optimizer),
      generator_(make_generator(text_.device())) {}

TrainReport TrainStep::operator()(const SampleBatch& batch, int64_t iteration) {
  optimizer_.zero_grad();
  const Losses losses = forward(batch, iteration);
  losses.total().backward();

  TrainReport report = report_of(losses, optimizer_.gradient_norm());
  report.iteration = iteration + 1;
  check_finite(report);
  report.lr = learning_rate(config_.schedule, config_.optimizer.lr, iteration);
  optimizer_.step(report.lr);
  return report;
}

Losses TrainStep::forward(const SampleBatch& batch, int64_t iteration) {
  const at::Device device = text_.device();
  seed_dropout(generator_, config_.seed, iteration);
  const Dropout prompts(config_.prompt_dropout, generator_),
      decoder(config_.decoder_dropout, generator_);
  MaskLogits logits;
  {
    AutocastGuard autocast(config_.precision == ComputePrecision::kBFloat16, device.type());
    logits = model_.head(model_.encoder(batch.pixels.to(device), prompts), text_, decoder);
  }
  for (at::Tensor* part : {&logits.classes, &logits.trusty, &logits.presence}) {
    if (part->defined()) *part = part->to(at::kFloat);
  }
  const Targets targets{batch.targets.labels.to(device), batch.targets.familiar.to(device)};
  const auto masks = std::max<int64_t>(1, count_masks(targets.labels, logits.classes.size(1)));
  return segmentation_losses(logits, targets, static_cast<double>(masks), model_.config.protocol,
                             config_.loss);
}

}  // namespace tagclip
