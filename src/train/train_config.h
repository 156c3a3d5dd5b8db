#pragma once

#include <string>

#include "base/fields.h"
#include "data/augment.h"
#include "data/dataset_options.h"
#include "infer/options.h"
#include "model/config.h"
#include "model/losses.h"
#include "train/autocast.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace tagclip {

// Which labels training may see (spec section 5).
enum class Setting {
  kInductive,     // unseen classes' labels and names are hidden
  kTransductive,  // their names are known: from some iteration on the model labels them itself
  kSupervised,    // nothing is hidden
};

// Where the trusty token learns what is unseen (spec section 9).
enum class TrustySource {
  kAnnotations,  // from where unseen pixels are, as in the paper and its code
  kHeldOutSeen,  // from seen classes hidden for one step; unseen pixels are never read
};

// What self-training makes of pixels whose class is hidden.
enum class PseudoLabels {
  kUnseen,      // the unseen class that the model prefers, as the paper says
  kEverything,  // the same, for void pixels, too: when they cannot be told apart
  kNone,        // nothing, as the released code turns out to do
};

struct SelfTrainingConfig {
  double from = 0.5;  // share of the iterations after which it begins
  PseudoLabels pseudo_labels = PseudoLabels::kUnseen;

  FieldList fields();
  ConstFieldList fields() const;
};

// What becomes of a training photo that cannot be read.
enum class BadPhotos { kFail, kSkip };

// All settings of `tagclip train`. The defaults are the paper's for VOC.
struct TrainConfig {
  std::string output = "runs/train";
  std::string label;
  DatasetOptions data;
  DatasetOptions val_data;  // no folder: `data`
  std::string train_split = "train";
  std::string val_split = "val";
  std::string clip;
  std::string prompt = "single";
  Setting setting = Setting::kInductive;
  TrustySource trusty_source = TrustySource::kAnnotations;
  double held_out_share = 0.2;
  int64_t seed = 1;
  int64_t batch = 16;  // over all ranks
  int64_t workers = 4;
  int64_t prefetch = 2;  // batches
  BadPhotos bad_photos = BadPhotos::kFail;
  bool check_data = true;
  ComputePrecision precision = ComputePrecision::kFloat32;
  StoragePrecision save_precision = StoragePrecision::kFloat32;
  Device device = Device::kAuto;
  double prompt_dropout = 0.1;
  double decoder_dropout = 0.1;
  int64_t log_every = 50;
  int64_t validate_every = 2000;
  int64_t save_every = 500;
  int64_t keep = 2;
  int64_t examples = 8;
  Weighting weighting = Weighting::kBoth;
  int64_t rank_timeout = 600;  // seconds
  ModelConfig model;           // sizes of the towers come from the CLIP
  AugmentOptions augment;
  LossConfig loss;
  AdamWConfig optimizer;
  ScheduleConfig schedule;
  SelfTrainingConfig self_training;

  FieldList fields();
  ConstFieldList fields() const;
  // Throws Error(kUsage) when the fields do not fit together.
  void check() const;
};

}  // namespace tagclip
