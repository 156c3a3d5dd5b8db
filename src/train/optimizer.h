#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/fields.h"
#include "clip/parameters.h"

namespace tagclip {

struct AdamWConfig {
  double lr = 2e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double weight_decay = 0.01;
  double epsilon = 1e-8;
  double max_norm = 0;  // as in torch.nn.utils.clip_grad_norm_; 0: gradients stay as they are

  FieldList fields();
  ConstFieldList fields() const;
};

// AdamW with decoupled weight decay over a fixed set of parameters, updated by one fused kernel.
class AdamW {
 public:
  AdamW(std::vector<Parameter> parameters, const AdamWConfig& config);

  void zero_grad();
  // Writes the learning rate to the device, for the next step().
  void set_learning_rate(double lr);
  // Updates once. Parameters without a gradient are left alone. Reads nothing from the host, so
  // that a CUDA graph may contain it.
  void step();
  void step(double lr) {
    set_learning_rate(lr);
    step();
  }
  // The gradients that the last backward pass left, in the order of the parameters.
  std::vector<at::Tensor> gradients() const;
  // Euclidean norm of all gradients together, [] float64; not finite when any of them is not.
  at::Tensor gradient_norm() const;

  // Moments and step counts by name, for a checkpoint.
  std::map<std::string, at::Tensor> state() const;
  // Puts them back. Throws Error(kBadInput) when `tensors` lacks one of them.
  void load_state(const std::map<std::string, at::Tensor>& tensors);

 private:
  struct Slot {
    Parameter parameter;
    at::Tensor first_moment, second_moment, steps;
  };
  AdamWConfig config_;
  std::vector<Slot> slots_;
  at::Tensor learning_rate_;  // [], on the parameters' device
};

// Linear warm-up, then polynomial decay (Section 4 of the paper, as mmcv computes it).
struct ScheduleConfig {
  int64_t iterations = 20000;
  int64_t warmup = 1500;
  double warmup_ratio = 1e-6;
  double power = 0.9;
  double min_lr = 1e-6;

  FieldList fields();
  ConstFieldList fields() const;
};

// The learning rate of `iteration` (from 0).
double learning_rate(const ScheduleConfig& config, double base_lr, int64_t iteration);

}  // namespace tagclip
