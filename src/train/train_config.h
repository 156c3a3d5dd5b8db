#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "data/augment.h"
#include "data/label_sets.h"
#include "infer/options.h"
#include "model/config.h"
#include "model/losses.h"
#include "train/mixed_precision.h"
#include "train/optimizer.h"

namespace tagclip {

// The labels that training may see (Section 4 of the paper).
enum class Setting {
  kInductive,     // unseen classes' labels and names are hidden
  kTransductive,  // their names are known: self-training labels them from some iteration on
  kSupervised,    // nothing is hidden
};

// The pixels that teach the trusty token what is unseen (Eq. 9).
enum class TrustySource {
  kAnnotations,  // those of unseen classes, as in the paper and its code
  kHeldOutSeen,  // those of seen classes hidden for one step; unseen pixels are never read
};

// The pseudo labels that self-training gives to pixels of hidden classes.
enum class PseudoLabels {
  kUnseen,      // the unseen class with the largest logit, as the paper says
  kEverything,  // the same, and for void pixels, too: for sets that mark both alike
  kNone,        // none, which is what the released code computes
};

struct SelfTrainingConfig {
  double from = 0.5;  // share of the iterations after which it begins
  PseudoLabels pseudo_labels = PseudoLabels::kUnseen;

  FieldList fields();
  ConstFieldList fields() const;
};

// The data sets of a training, or of its validation, and how all of them are read; see
// DatasetOptions.
struct DataSets {
  std::vector<std::string> folders;
  std::string kind = "auto";
  std::string unseen;
  ZeroLabel zero_label = ZeroLabel::kAuto;
};

// How one of several data sets is read, in training and validation, where it is not as all are.
struct SetOptions {
  std::string kind = "auto";                // auto: as for all
  std::string unseen;                       // empty: as for all
  ZeroLabel zero_label = ZeroLabel::kAuto;  // kAuto: as for all
  std::optional<double> share;              // of the training steps; see LabelSets

  FieldList fields();
  ConstFieldList fields() const;
};

// What a class of several words is in a training step.
enum class StepWords {
  kMean,   // the mean of their embeddings
  kDrawn,  // one of them, drawn anew in each step
};

// The fate of a run whose training image cannot be read: it fails, or takes another image.
enum class BadImagePolicy { kFail, kSkip };

// All settings of `tagclip train`. The defaults are the paper's for VOC.
struct TrainConfig {
  std::string output = "runs/train";
  std::string label;
  bool extend = false;  // whether a run may go on to more iterations than it was begun with
  DataSets data;
  DataSets val_data;  // no folders: as `data`, with val_data.unseen where it is given
  std::map<std::string, SetOptions> set;             // by the names of data sets, see set_names
  int64_t max_pixels = DatasetOptions().max_pixels;  // larger photos and label files are refused
  std::string synonym_list;  // class file: the words of a line stand for one class in all data sets
  StepWords synonyms = StepWords::kMean;
  std::string train_split = "train";
  std::string val_split = "val";
  std::string clip;   // the CLIP to start from ...
  std::string start;  // ... or the trained model, of which clip may be the text tower
  std::string prompt = "single";
  Setting setting = Setting::kInductive;
  TrustySource trusty_source = TrustySource::kAnnotations;
  double held_out_share = 0.2;
  int64_t seed = 1;
  int64_t batch = 16;  // over all ranks
  int64_t workers = 4;
  int64_t prefetch = 2;  // batches
  BadImagePolicy bad_photos = BadImagePolicy::kFail;
  bool check_data = true;
  ComputePrecision precision = ComputePrecision::kFloat32;
  StorageType save_precision = StorageType::kFloat32;
  Device device = Device::kAuto;
  double prompt_dropout = 0.1;
  double decoder_dropout = 0.1;
  int64_t log_every = 50;
  int64_t validate_every = 2000;
  int64_t save_every = 500;
  int64_t keep = 2;
  int64_t model_every = 0;
  int64_t examples = 8;
  std::vector<std::string> example_photos;  // empty: the first `examples`
  InferenceOptions validation;
  int64_t rank_timeout = 600;  // seconds
  ModelConfig model;           // sizes of the towers come from the CLIP
  AugmentOptions augment;
  LossConfig loss;
  AdamWConfig optimizer;
  ScheduleConfig schedule;
  SelfTrainingConfig self_training;

  FieldList fields();
  ConstFieldList fields() const;
  // Throws Error(kUsage) when the fields do not fit together, or when one that differs from its
  // default could have no effect.
  void check() const;
  // Returns in words what is allowed and rarely meant.
  std::vector<std::string> warnings() const;
  // The first iteration of self-training, from 0.
  int64_t self_training_start() const;
};

// A setting that differs from its default and could have no effect.
struct IdleSetting {
  std::string name;
  std::string value;  // as it would be written
  std::string needs;  // what must hold for it
  FieldValue default_value;
};
std::vector<IdleSetting> idle_settings(const TrainConfig& config);

// Returns true if a run may be resumed with another value of a setting: it does not change what is
// learnt, or is_known_by_content.
bool is_free_to_change(const std::string& setting);

// The data sets of the training, each as it is read. `unseen` of several sets is not in them: it is
// about all of their classes. Throws Error(kUsage) for a folder that comes twice.
std::vector<LabelSetOptions> training_sets(const TrainConfig& config);
// Those of the validation: val_data, or the sets of the training.
std::vector<LabelSetOptions> validation_sets(const TrainConfig& config);

// Calls `visit` with each file and folder that a run reads, and the name of its setting. Words that
// may be a file, such as prompt, count where they look like a path.
void for_each_input(TrainConfig& config,
                    const std::function<void(const std::string& name, std::string& path)>& visit);
// Returns the settings with paths that mean the same from every folder, where the files are there.
TrainConfig with_absolute_inputs(TrainConfig config);

}  // namespace tagclip
