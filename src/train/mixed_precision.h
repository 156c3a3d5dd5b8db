#pragma once

#include <ATen/autocast_mode.h>

#include <vector>

#include "clip/parameters.h"

namespace tagclip {

// The type of training's matrix products. Parameters, losses and statistics are float32 in both.
enum class ComputePrecision { kFloat32, kBFloat16 };

// Makes matrix products and convolutions on `device` run in bfloat16 (LibTorch's autocast lists)
// while it lives.
class AutocastGuard {
 public:
  AutocastGuard(bool enabled, at::DeviceType device)
      : device_(device), previous_(at::autocast::is_autocast_enabled(device)) {
    at::autocast::set_autocast_enabled(device_, enabled);
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
  }
  ~AutocastGuard() {
    at::autocast::set_autocast_enabled(device_, previous_);
    at::autocast::clear_cache();  // the parameters change before the next use
  }
  AutocastGuard(const AutocastGuard&) = delete;
  AutocastGuard& operator=(const AutocastGuard&) = delete;

 private:
  at::DeviceType device_;
  bool previous_;
};

// Frozen matrices in bfloat16, for steps in mixed precision: half the memory, and autocast need not
// convert them in every step. Their float32 values wait on the CPU for validation and saving.
class FrozenBf16Weights {
 public:
  // Converts `matrices`, none of which may be trained.
  explicit FrozenBf16Weights(std::vector<Parameter> matrices);
  FrozenBf16Weights(const FrozenBf16Weights&) = delete;
  FrozenBf16Weights& operator=(const FrozenBf16Weights&) = delete;

  // Gives the matrices their float32 values while it lives.
  class Float32Scope {
   public:
    explicit Float32Scope(FrozenBf16Weights& weights);
    ~Float32Scope();
    Float32Scope(const Float32Scope&) = delete;
    Float32Scope& operator=(const Float32Scope&) = delete;

   private:
    FrozenBf16Weights& weights_;
  };

 private:
  void to_bf16();
  void restore();

  std::vector<Parameter> matrices_;
  std::vector<at::Tensor> float32_;  // on the CPU
  std::vector<at::Tensor> bf16_;     // always the same memory: CUDA graphs read it
  int scopes_ = 0;
};

// The matrices of the vision tower, which autocast would convert in every step.
std::vector<Parameter> frozen_matrices(const ParameterList& parameters);

}  // namespace tagclip
