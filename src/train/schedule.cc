#include "train/schedule.h"

#include <cmath>

namespace tagclip {

namespace {

template <class Config>
FieldsOf<Config> list_fields(Config& config) {
  FieldsOf<Config> list;
  list.add("iterations", config.iterations, {1, 1e9}, "optimizer steps in all");
  list.add("warmup", config.warmup, {0, 1e9}, "iterations until the full learning rate");
  list.add("warmup_ratio", config.warmup_ratio, {0, 1},
           "share of the learning rate at iteration 0");
  list.add("power", config.power, {0, 10}, "of the polynomial decay");
  list.add("min_lr", config.min_lr, {0, 1}, "learning rate at the end");
  return list;
}

}  // namespace

FieldList ScheduleConfig::fields() { return list_fields(*this); }
ConstFieldList ScheduleConfig::fields() const { return list_fields(*this); }

double learning_rate(const ScheduleConfig& config, double base_lr, int64_t iteration) {
  const double left = 1 - static_cast<double>(iteration) / config.iterations;
  const double regular = (base_lr - config.min_lr) * std::pow(left, config.power) + config.min_lr;
  if (iteration >= config.warmup) return regular;
  const double missing =
      (1 - static_cast<double>(iteration) / config.warmup) * (1 - config.warmup_ratio);
  return regular * (1 - missing);
}

}  // namespace tagclip
