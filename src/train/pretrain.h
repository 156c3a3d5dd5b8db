#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "clip/clip.h"
#include "train/mixed_precision.h"
#include "train/optimizer.h"

namespace tagclip {

// Contrastive pretraining of a CLIP on captioned images.
struct PretrainConfig {
  std::string output = "runs/pretrain";
  std::vector<std::string> shards;
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
  // Probability that a caption of up to three words is put in a prompt template.
  double template_probability = 0.5;
  ComputePrecision precision = ComputePrecision::kFloat32;
  int64_t log_every = 10;
  int64_t save_every = 50;
  ClipConfig clip;
  AdamWConfig optimizer{.lr = 1e-3, .beta2 = 0.98, .weight_decay = 0.1, .epsilon = 1e-6};

  FieldList fields();
  ConstFieldList fields() const;
  // Throws Error(kUsage) when the fields do not fit together, or when one that differs from its
  // default could have no effect.
  void check() const;
};

struct PretrainReport {
  int64_t step = 0;  // done
  double loss = 0;
  double lr = 0;
  double images_per_second = 0;
};

struct PretrainHooks {
  // `done`: the steps of an earlier session in the output folder, 0 when there was none.
  std::function<void(int64_t done)> on_start = [](int64_t) {};
  // Takes warnings for the user: damaged checkpoints.
  std::function<void(const std::string&)> on_warning = [](const std::string&) {};
  std::function<void(const PretrainReport&)> on_step = [](const PretrainReport&) {};
  // Asked after every step; true saves and returns.
  std::function<bool()> stop_requested = [] { return false; };
};

// Pretrains a CLIP and leaves in the output folder
//   checkpoints/      parameters, optimizer and step, the last two; the same call resumes from them
//   clip.safetensors  the finished model in half precision (OpenAI's parameter names)
//   config.toml       the settings
// Returns the number of steps done. The same seed gives the same batches, resumed or not.
// Throws Error: kBadInput for unusable shards, an unusable `start`, or a checkpoint of other
// settings, kFailure when the loss is not finite.
int64_t pretrain(PretrainConfig config, const PretrainHooks& hooks);

}  // namespace tagclip
