#include "verify/golden_training.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "train/optimizer.h"

namespace tagclip {
namespace {

Targets targets_of(const GoldenInputs& inputs) {
  const at::Tensor seen = at::isin(inputs.label, at::tensor(inputs.seen, at::kLong));
  const at::Tensor seen_mask =
      seen.to(at::kChar).masked_fill(inputs.label.eq(kGoldenIgnoreIndex), -1);
  return {inputs.label_seen, seen_mask};
}

// ZegCLIP's release weighs the focal term by 100.
LossConfig released_losses(const ModelConfig& config) {
  LossConfig losses;
  if (config.architecture == Architecture::kZegClip) losses.mask_weight = 100;
  return losses;
}

// 100 where no pixel is labelled, as in the released code.
at::Tensor pixel_accuracy(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor maps = at::upsample_bilinear2d(logits, {labels.size(1), labels.size(2)}, false);
  const at::Tensor labelled = labels.ne(kGoldenIgnoreIndex);
  const at::Tensor right = maps.argmax(1).eq(labels).logical_and(labelled);
  constexpr double kEpsilon = 1.1920929e-07;
  return 100 * (right.sum().to(at::kFloat) + kEpsilon) / (labelled.sum().to(at::kFloat) + kEpsilon);
}

constexpr std::string_view kPrefix = "train.loss_history_adamw_lr", kDecay = "_wd";
constexpr int64_t kMaxSteps = 1000;

AdamWConfig parse_config(const std::string& name, const std::string& file) {
  const std::string_view numbers = std::string_view(name).substr(kPrefix.size());
  if (const size_t at = numbers.find(kDecay); at != numbers.npos) {
    const auto lr = parse_number<double>(numbers.substr(0, at));
    const auto decay = parse_number<double>(numbers.substr(at + kDecay.size()));
    if (lr && decay) return {.lr = *lr, .weight_decay = *decay};
  }
  throw bad_input(file + ": " + name + ": expected " + std::string(kPrefix) +
                  "2e-4_wd0.01 or other numbers");
}

at::Tensor loss_history(SegmentationModel& model, const GoldenInputs& inputs,
                        const AdamWConfig& config, int64_t steps) {
  AdamW optimizer(model.parameters.trained(), config);
  std::vector<double> history;
  for (int64_t step = 0; step < steps; ++step) {
    const at::Tensor loss = golden_step(model, inputs).losses.total();
    history.push_back(loss.item<double>());
    optimizer.zero_grad();
    loss.backward();
    optimizer.step(config.lr);
  }
  optimizer.zero_grad();
  return at::tensor(history, at::kDouble);
}

void restore(const std::vector<Parameter>& parameters, const std::vector<at::Tensor>& values) {
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters.size(); ++i) at::Tensor(parameters[i].tensor).copy_(values[i]);
}

}  // namespace

GoldenStep golden_step(const SegmentationModel& model, const GoldenInputs& inputs) {
  if (!inputs.label.defined() || !inputs.label_seen.defined()) {
    throw bad_input("train.* and grad.* need the labels in.label and in.label_seen");
  }
  const MaskLogits logits = model(inputs.image, inputs.seen_text());
  const at::Tensor masks = count_masks(inputs.label_seen, logits.classes.size(1));
  return {logits, segmentation_losses(logits, targets_of(inputs), masks, model.config.protocol,
                                      released_losses(model.config))};
}

NamedTensors trace_training(SegmentationModel& model, const GoldenInputs& inputs) {
  model.set_trained();
  const auto [logits, losses] = golden_step(model, inputs);
  const at::Tensor total = losses.total();
  total.backward();

  NamedTensors values;
  const auto add = [&](const std::string& name, const at::Tensor& value) {
    if (value.defined()) values[name] = value.detach().view({1});
  };
  add("train.loss", total);
  add("train.loss_mask", losses.mask);
  add("train.loss_dice", losses.dice);
  add("train.loss_disc", losses.trusty);
  add("train.acc_seg", pixel_accuracy(logits.classes.detach(), inputs.label_seen));
  for (const Parameter& parameter : model.parameters.trained()) {
    values["grad." + parameter.name] = parameter.tensor.grad();
    parameter.tensor.mutable_grad().reset();
  }
  return values;
}

NamedTensors trace_histories(SegmentationModel& model, const GoldenInputs& inputs,
                             const StateDict& expected) {
  model.set_trained();
  const std::vector<Parameter> trained = model.parameters.trained();
  std::vector<at::Tensor> start;
  for (const Parameter& parameter : trained) start.push_back(parameter.tensor.detach().clone());

  NamedTensors values;
  for (const auto& [name, history] : expected.tensors) {
    if (!name.starts_with(kPrefix)) continue;
    if (history.dim() != 1 || history.numel() > kMaxSteps) {
      throw bad_input(expected.source + ": " + name + ": expected at most " +
                      std::to_string(kMaxSteps) + " losses in one dimension");
    }
    values[name] =
        loss_history(model, inputs, parse_config(name, expected.source), history.numel());
    restore(trained, start);
  }
  return values;
}

}  // namespace tagclip
