#include "train/schedule.h"

#include <cmath>

namespace tagclip {

FieldList ScheduleConfig::fields() {
  FieldList list;
  list.add("iterations", iterations, {1, 1e9}, "optimizer steps in all");
  list.add("warmup", warmup, {0, 1e9}, "iterations until the full learning rate");
  list.add("warmup_ratio", warmup_ratio, {0, 1}, "share of the learning rate at iteration 0");
  list.add("power", power, {0, 10}, "of the polynomial decay");
  list.add("min_lr", min_lr, {0, 1}, "learning rate at the end");
  return list;
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
