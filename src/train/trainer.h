#pragma once

#include <functional>
#include <string>

#include "metrics/segmentation_metrics.h"
#include "ranks/ranks.h"
#include "train/train_config.h"
#include "train/train_step.h"

namespace tagclip {

struct TrainHooks {
  // `done`: the iterations an earlier run has saved here, 0 when there was none.
  std::function<void(int64_t done)> on_start = [](int64_t) {};
  // What the user should know: of the CLIP, damaged checkpoints, photos that are skipped. From any
  // thread.
  std::function<void(const std::string&)> on_warning = [](const std::string&) {};
  std::function<void(const TrainReport&)> on_step = [](const TrainReport&) {};
  std::function<void(int64_t iteration, const SegmentationMetrics&)> on_validation =
      [](int64_t, const SegmentationMetrics&) {};
  // Asked after every step and photo; true saves and returns.
  std::function<bool()> stop_requested = [] { return false; };
};

struct TrainOutcome {
  int64_t iterations = 0;  // done
  bool finished = false;   // otherwise the user stopped it
};

// Trains a segmentation model (spec sections 5 and 6) and leaves in the output folder
//   config.toml        the settings
//   checkpoints/       the last states, see Checkpoints; the run goes on from the newest sound one
//   best.safetensors   the model with the best hIoU on the validation split (mIoU where nothing is
//                      unseen)
//   model.safetensors  the finished model
//   run.json           what ran, where, on what, for how long
//   log.jsonl          a line every `log_every` iterations and one a validation
//   metrics.json       the last validation, class by class; examples/ has photos of it
//   events.out.*       the same for TensorBoard
// Every rank calls it with the same config; the first one writes. Same
// seed, same batches and dropout, however often it was interrupted, whatever the number of workers.
// Throws Error: kBadInput for an unusable data set or CLIP, or a run of other settings in the
// folder; kFailure when a loss or gradient is not finite, before the optimizer has seen it and with
// the batch in the output folder, or when another rank is lost.
TrainOutcome train(const TrainConfig& config, const Ranks& ranks, const TrainHooks& hooks);

}  // namespace tagclip
