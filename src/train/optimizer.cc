#include "train/optimizer.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "base/error.h"

namespace tagclip {
namespace {

template <class Config>
FieldsOf<Config> adamw_fields(Config& config) {
  FieldsOf<Config> list;
  list.add("lr", config.lr, {0, 1}, "learning rate after the warm-up");
  list.add("beta1", config.beta1, {0, 1}, "decay of the first moment");
  list.add("beta2", config.beta2, {0, 1}, "decay of the second moment");
  list.add("weight_decay", config.weight_decay, {0, 10}, "decoupled weight decay");
  list.add("epsilon", config.epsilon, {0, 1}, "added to the root of the second moment");
  list.add("max_norm", config.max_norm, {0, 1e9},
           "largest norm of all gradients together, which are scaled down to it; 0: any");
  return list;
}

template <class Config>
FieldsOf<Config> schedule_fields(Config& config) {
  FieldsOf<Config> list;
  list.add("iterations", config.iterations, {1, 1e9}, "optimizer steps of the whole schedule");
  list.add("warmup", config.warmup, {0, 1e9}, "iterations until the full learning rate");
  list.add("warmup_ratio", config.warmup_ratio, {0, 1},
           "share of the learning rate at iteration 0");
  list.add("power", config.power, {0, 10}, "power of the polynomial decay");
  list.add("min_lr", config.min_lr, {0, 1}, "learning rate at the end");
  return list;
}

}  // namespace

FieldList AdamWConfig::fields() { return adamw_fields(*this); }
ConstFieldList AdamWConfig::fields() const { return adamw_fields(*this); }

FieldList ScheduleConfig::fields() { return schedule_fields(*this); }
ConstFieldList ScheduleConfig::fields() const { return schedule_fields(*this); }

AdamW::AdamW(std::vector<Parameter> parameters, const AdamWConfig& config) : config_(config) {
  TAGCLIP_CHECK(!parameters.empty(), "nothing to train");
  const at::Tensor& first = parameters.front().tensor;
  // The fused kernels read float32 on a GPU, float64 on the CPU.
  learning_rate_ = at::zeros({}, first.options().dtype(first.is_cuda() ? at::kFloat : at::kDouble));
  for (Parameter& parameter : parameters) {
    const at::Tensor value = parameter.tensor.detach();
    slots_.push_back({std::move(parameter), at::zeros_like(value), at::zeros_like(value),
                      at::zeros({}, value.options().dtype(at::kFloat))});
  }
}

void AdamW::zero_grad() {
  for (Slot& slot : slots_) slot.parameter.tensor.mutable_grad().reset();
}

void AdamW::set_learning_rate(double lr) {
  at::NoGradGuard no_grad;
  learning_rate_.fill_(lr);
}

void AdamW::step() {
  at::NoGradGuard no_grad;
  std::vector<at::Tensor> values, gradients, first, second, steps;
  for (Slot& slot : slots_) {
    if (!slot.parameter.tensor.grad().defined()) continue;
    values.push_back(slot.parameter.tensor);
    gradients.push_back(slot.parameter.tensor.grad());
    first.push_back(slot.first_moment);
    second.push_back(slot.second_moment);
    steps.push_back(slot.steps);
  }
  if (values.empty()) return;
  if (config_.max_norm > 0) {
    const at::Tensor scale = (config_.max_norm / (gradient_norm() + 1e-6)).clamp_max(1);
    at::_foreach_mul_(gradients, scale);
  }
  at::_foreach_add_(steps, 1);
  at::_fused_adamw_(values, gradients, first, second, {}, steps, learning_rate_, config_.beta1,
                    config_.beta2, config_.weight_decay, config_.epsilon, /*amsgrad=*/false,
                    /*maximize=*/false);
}

std::vector<at::Tensor> AdamW::gradients() const {
  std::vector<at::Tensor> result;
  for (const Slot& slot : slots_) {
    const at::Tensor& gradient = slot.parameter.tensor.grad();
    if (gradient.defined()) result.push_back(gradient);
  }
  return result;
}

at::Tensor AdamW::gradient_norm() const {
  const std::vector<at::Tensor> all = gradients();
  if (all.empty()) return at::zeros({}, learning_rate_.options().dtype(at::kDouble));
  return at::stack(at::_foreach_norm(all)).to(at::kDouble).norm();
}

std::map<std::string, at::Tensor> AdamW::state() const {
  std::map<std::string, at::Tensor> tensors;
  for (const Slot& slot : slots_) {
    tensors["adamw.first." + slot.parameter.name] = slot.first_moment;
    tensors["adamw.second." + slot.parameter.name] = slot.second_moment;
    tensors["adamw.steps." + slot.parameter.name] = slot.steps;
  }
  return tensors;
}

void AdamW::load_state(const std::map<std::string, at::Tensor>& tensors) {
  at::NoGradGuard no_grad;
  for (auto& [name, target] : state()) {
    const auto found = tensors.find(name);
    if (found == tensors.end() || found->second.sizes() != target.sizes()) {
      throw bad_input("the checkpoint has no usable optimizer state " + name,
                      "start a new run, or resume with the config the run was started with");
    }
    at::Tensor(target).copy_(found->second);
  }
}

double learning_rate(const ScheduleConfig& config, double base_lr, int64_t iteration) {
  const double left = 1 - static_cast<double>(iteration) / config.iterations;
  const double regular = (base_lr - config.min_lr) * std::pow(left, config.power) + config.min_lr;
  if (iteration >= config.warmup) return regular;
  const double missing =
      (1 - static_cast<double>(iteration) / config.warmup) * (1 - config.warmup_ratio);
  return regular * (1 - missing);
}

}  // namespace tagclip
