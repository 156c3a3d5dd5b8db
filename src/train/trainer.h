#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "metrics/segmentation_metrics.h"
#include "train/train_config.h"
#include "train/train_step.h"

namespace tagclip {

struct TrainHooks {
  // `done`: the iterations an earlier run has saved here, 0 when there was none.
  std::function<void(int64_t done)> on_start = [](int64_t) {};
  // What the user should know of the CLIP the run starts from.
  std::function<void(const std::string&)> on_warning = [](const std::string&) {};
  std::function<void(const TrainReport&)> on_step = [](const TrainReport&) {};
  std::function<void(int64_t iteration, const SegmentationMetrics&)> on_validation =
      [](int64_t, const SegmentationMetrics&) {};
  // Asked after every step; true saves and returns.
  std::function<bool()> stop_requested = [] { return false; };
};

// Trains a segmentation model (spec sections 5 and 6) and leaves in the output folder
//   config.toml            the settings
//   last.safetensors       model, optimizer and iteration, replaced as it goes; resumed when found
//   best.safetensors       the model with the best hIoU on the validation split (mIoU when nothing
//   is unseen) model.safetensors      the finished model log.jsonl              a line every
//   `log_every` iterations and one a validation; a resumed run goes on
//                          behind the iteration it resumes from
// Returns the number of iterations done. Same seed, same batches and dropout, resumed or not.
// Throws Error: kBadInput for an unusable data set or CLIP, or a run of other settings in the
// folder; kFailure when a loss or gradient is not finite, before the optimizer has seen it.
int64_t train(const TrainConfig& config, const TrainHooks& hooks);

}  // namespace tagclip
