#pragma once

#include <string>

#include "base/fields.h"
#include "data/augment.h"
#include "data/dataset_options.h"
#include "model/config.h"
#include "model/losses.h"
#include "train/autocast.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace tagclip {

// Which labels training may see (spec section 5).
enum class Setting {
  kInductive,   // unseen classes' labels and names are hidden
  kSupervised,  // nothing is hidden
};

// All settings of `tagclip train`. The defaults are the paper's for VOC.
struct TrainConfig {
  std::string output = "runs/train";
  DatasetOptions data;
  std::string train_split = "train";
  std::string val_split = "val";
  std::string clip;
  std::string prompt = "single";
  Setting setting = Setting::kInductive;
  int64_t seed = 1;
  int64_t batch = 16;
  ComputePrecision precision = ComputePrecision::kFloat32;
  Precision save_precision = Precision::kFloat32;
  std::string device = "auto";
  double prompt_dropout = 0.1;
  double decoder_dropout = 0.1;
  int64_t log_every = 50;
  int64_t validate_every = 2000;
  int64_t save_every = 500;
  ModelConfig model;  // sizes of the towers come from the CLIP
  AugmentOptions augment;
  LossConfig loss;
  AdamWConfig optimizer;
  ScheduleConfig schedule;

  FieldList fields();
  // Throws Error(kUsage) when the fields do not fit together.
  void check() const;
};

}  // namespace tagclip
