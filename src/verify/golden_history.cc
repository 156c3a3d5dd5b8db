#include "verify/golden_history.h"

#include <ATen/core/grad_mode.h>

#include <charconv>

#include "base/error.h"
#include "train/optimizer.h"

namespace tagclip {
namespace {

constexpr std::string_view kPrefix = "train.loss_history_adamw_lr", kDecay = "_wd";
constexpr int64_t kMaxSteps = 1000;

AdamWConfig parse_config(const std::string& name, const std::string& file) {
  AdamWConfig config;
  const char *begin = name.data() + kPrefix.size(), *end = name.data() + name.size();
  const auto [after_lr, lr_error] = std::from_chars(begin, end, config.lr);
  const bool has_decay = std::string_view(after_lr, end).starts_with(kDecay);
  if (lr_error == std::errc() && has_decay) {
    const auto [last, error] = std::from_chars(after_lr + kDecay.size(), end, config.weight_decay);
    if (error == std::errc() && last == end) return config;
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
