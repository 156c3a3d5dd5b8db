#pragma once

#include <cstdint>

#include "base/fields.h"

namespace tagclip {

// Linear warm-up, then polynomial decay (spec section 6, as mmcv computes it).
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
