#pragma once

#include <ATen/ATen.h>

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

  FieldList fields();
  ConstFieldList fields() const;
};

// AdamW with decoupled weight decay over a fixed set of parameters, one fused update for all.
class AdamW {
 public:
  AdamW(std::vector<Parameter> parameters, const AdamWConfig& config);

  void zero_grad();
  // One update at learning rate `lr`. Parameters without a gradient are left alone.
  void step(double lr);
  // The two halves of it: only the first one is told anything by the host.
  void set_learning_rate(double lr);
  void step();
  // Those that the last backward pass has left, in the order of the parameters.
  std::vector<at::Tensor> gradients() const;
  // Euclidean norm over all gradients; NaN or infinite when any of them is. A scalar, float64.
  at::Tensor gradient_norm() const;

  // The moments and step counts by name, for a checkpoint.
  std::map<std::string, at::Tensor> state() const;
  // Throws Error(kBadInput) when `tensors` lacks one of them.
  void load_state(const std::map<std::string, at::Tensor>& tensors);

 private:
  struct Slot {
    Parameter parameter;
    at::Tensor first_moment, second_moment, steps;
  };
  AdamWConfig config_;
  std::vector<Slot> slots_;
  at::Tensor learning_rate_;  // a scalar where the parameters are
};

}  // namespace tagclip
