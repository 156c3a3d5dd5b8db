#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "train/pretrain_config.h"
#include "train/pretrain_step.h"
#include "train/pretrain_validation.h"

namespace tagclip {

struct PretrainReport {
  int64_t step = 0;  // done
  PretrainLosses losses;
  double lr = 0;
  double images_per_second = 0;
};

struct PretrainHooks {
  // `done`: the steps of an earlier session in the output folder, 0 when there was none.
  std::function<void(int64_t done)> on_start = [](int64_t) {};
  // Takes what a user should know: the photos of each source.
  std::function<void(const std::string&)> on_note = [](const std::string&) {};
  // Takes warnings for the user: damaged checkpoints.
  std::function<void(const std::string&)> on_warning = [](const std::string&) {};
  std::function<void(const PretrainReport&)> on_step = [](const PretrainReport&) {};
  std::function<void(int64_t step, const PretrainMetrics&)> on_validation =
      [](int64_t, const PretrainMetrics&) {};
  // Asked after every step and during validations; true saves and returns.
  std::function<bool()> stop_requested = [] { return false; };
};

// Pretrains a CLIP and leaves in the output folder
//   checkpoints/      parameters, their average, optimizer and step, the last two; the same call
//                     resumes from them
//   clip.safetensors  the finished model, the average where one is kept, in half precision
//                     (OpenAI's parameter names)
//   log.jsonl, events.out.tfevents.*   losses and validations, for people and TensorBoard
//   config.toml       the settings
// Returns the number of steps done. The same seed gives the same batches, resumed or not.
// Throws Error: kBadInput for unusable sources, an unusable `start`, or a checkpoint of other
// settings, kFailure when the loss is not finite.
int64_t pretrain(PretrainConfig config, const PretrainHooks& hooks);

}  // namespace tagclip
