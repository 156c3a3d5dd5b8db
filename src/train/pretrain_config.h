#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "clip/clip.h"
#include "data/dataset_options.h"
#include "tagclip/options.h"
#include "train/mixed_precision.h"
#include "train/optimizer.h"

namespace tagclip {

// Photos of one kind: shards, or one split of a labelled set.
struct PretrainSource {
  std::string name;
  std::vector<std::string> shards;
  DatasetOptions data;  // its max_pixels is not read: the run's counts
  std::string split = "train";
  std::vector<std::string> keys;  // beginnings of the keys of the photos to take; empty: all
  std::string key_prefix;         // stands before a photo's key in names.soft
  // Of each batch. Sources without one divide what is left by the number of their photos.
  std::optional<double> share;

  // What messages call it.
  std::string title() const { return name.empty() ? "shards" : "source." + name; }
};

// The weights of the losses; 0 leaves one out.
struct PretrainLossConfig {
  double contrastive = 1;    // photos and captions
  double names = 0;          // photos and soft names
  double labels = 0;         // patches and the words of their pixels' labels
  double label_balance = 0;  // how far rare labels count as much as common ones
};

// The names that soft names are about.
struct PretrainNamesConfig {
  std::string list;                 // a class file
  std::string soft;                 // see read_soft_names
  std::vector<std::string> unseen;  // words; the names that have one are left out
  int64_t per_step = 256;           // texts of names that a step compares photos with
  double plain_probability = 0.5;   // of a step that takes the last word of every name
};

// Photos that are held out, on which a run is measured as it goes.
struct PretrainValidationConfig {
  std::vector<std::string> shards;
  std::vector<std::string> data;  // folders of labelled sets
  std::string split = "val";      // of these
};

struct PretrainConfig {
  std::string output = "runs/pretrain";
  std::vector<std::string> shards;  // the only source, without a name
  std::vector<PretrainSource> sources;
  std::string start;  // a CLIP to start from, which then gives the sizes; empty: random weights
  int64_t seed = 1;
  int64_t steps = 1000;
  int64_t batch = 256;
  int64_t image_size = 128;       // side of the training crops at the end
  int64_t small_image_size = 64;  // and until step `small_steps`, which costs a quarter
  int64_t small_steps = 0;
  double patch_share = 1;        // share of a crop's patches that is kept, drawn for each image
  double small_patch_share = 1;  // the same for the small crops
  int64_t warmup = 100;
  double min_crop = 0.4;            // smallest share of the image's area in a crop
  bool photometric = false;         // photometric distortion, as in the training of segmentation
  int64_t max_pixels = 64LL << 20;  // a larger photo ends the run
  // Probability that a caption of up to three words, a name or a label's word is put in a prompt
  // template.
  double template_probability = 0.5;
  int64_t label_words = 64;    // words of a set, at most, that a step compares patches with
  double ema = 0;              // decay of the average of the weights; 0: none is kept
  int64_t gradient_chunk = 0;  // photos or texts that are computed at once; 0: the whole batch
  int64_t workers = 0;         // threads that make the next batch; 0: the training thread does
  int64_t cache = 512;         // MiB of decoded photos and labels that are kept
  ComputePrecision precision = ComputePrecision::kFloat32;
  Device device = Device::kAuto;
  int64_t log_every = 10;
  int64_t validate_every = 500;
  int64_t save_every = 50;
  PretrainLossConfig loss;
  PretrainNamesConfig names;
  PretrainValidationConfig validation;
  ClipConfig clip;
  AdamWConfig optimizer{.lr = 1e-3, .beta2 = 0.98, .weight_decay = 0.1, .epsilon = 1e-6};

  FieldList fields();
  ConstFieldList fields() const;
  // Throws Error(kUsage) when the fields do not fit together, or when one that differs from its
  // default could have no effect.
  void check() const;

  // True if there is something to measure on.
  bool validates() const { return !validation.shards.empty() || !validation.data.empty(); }
  // The sources, or `shards` as the only one.
  std::vector<PretrainSource> all_sources() const;
  // The side of the crops and the share of their patches that step `step`, from 0, computes.
  int64_t side(int64_t step) const { return step < small_steps ? small_image_size : image_size; }
  double kept_share(int64_t step) const {
    return step < small_steps ? small_patch_share : patch_share;
  }
};

// The defaults of all settings, for sources of the same names.
PretrainConfig defaults_beside(const PretrainConfig& config);

// Throws Error(kUsage) unless sides and vocabulary fit `config.clip`.
void check_clip(const PretrainConfig& config);

// True if a run may be resumed with another value of the setting: it says how a run is watched,
// stored and computed, or names files, which are known by their content.
bool is_free_in_pretraining(const std::string& setting);
bool names_files_of_pretraining(const std::string& setting);

// The settings of inputs, as references to their texts: paths that a config file means beside
// itself.
struct PretrainInput {
  std::string setting;
  std::string* path;
};
std::vector<PretrainInput> input_paths(PretrainConfig& config);

// The settings with whole paths of the inputs that are there: what config.toml of a run says.
PretrainConfig with_absolute_inputs(PretrainConfig config);

}  // namespace tagclip
