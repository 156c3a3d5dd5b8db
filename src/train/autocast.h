#pragma once

#include <ATen/autocast_mode.h>

namespace tagclip {

// While it lives, matrix products and convolutions on `device` run in bfloat16, with float32
// parameters and statistics (LibTorch's autocast lists).
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

enum class ComputePrecision { kFloat32, kBFloat16 };

}  // namespace tagclip
