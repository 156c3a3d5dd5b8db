#pragma once

#include <functional>
#include <string>

#include "ranks/world.h"
#include "train/train_config.h"
#include "train/train_step.h"
#include "train/validation.h"

namespace tagclip {

struct TrainHooks {
  // `done`: the iterations of an earlier session in the output folder, 0 when there was none.
  std::function<void(int64_t done)> on_start = [](int64_t) {};
  // Takes warnings for the user: of the weights, damaged checkpoints, skipped images.
  std::function<void(const std::string&)> on_warning = [](const std::string&) {};
  // Called with news of the run: settings that a resumed run takes over.
  std::function<void(const std::string&)> on_note = [](const std::string&) {};
  // Pairs of files checked before the first step, once that takes more than two seconds.
  std::function<void(int64_t done, int64_t total)> on_check = [](int64_t, int64_t) {};
  std::function<void(const TrainReport&)> on_step = [](const TrainReport&) {};
  std::function<void(int64_t iteration, const Validation&)> on_validation =
      [](int64_t, const Validation&) {};
  // Asked after every step, validation image and checked pair; true saves and returns.
  std::function<bool()> stop_requested = [] { return false; };
};

struct TrainOutcome {
  int64_t iterations = 0;  // done
  bool finished = false;   // otherwise stop_requested() ended it
};

// Trains a segmentation model (Sections 3 and 4 of the paper) and leaves in the output folder
//   config.toml             the settings
//   checkpoints/            the last states, see Checkpoints; the same call resumes from the newest
//                           undamaged one. A run is bound to the settings that change what is
//                           learnt and to what its files say (RunIdentity), not to where they lie
//   run.lock                while it is written: one process at a time (FolderLock)
//   best.safetensors        the model with the best hIoU on the validation split (mIoU where
//                           nothing is unseen), the mean over the data sets where there are several
//   model_N.safetensors     the model after every `model_every` iterations
//   model.safetensors       the finished model, written before its last validation
//   run.json                what ran, where, on what, for how long
//   log.jsonl               a line every `log_every` iterations and one per validation
//   metrics.json            the last validation, class by class; examples/ has images of it
//   events.out.*            the same for TensorBoard
// Every rank calls it with the same config; the root rank writes. The same seed gives the same
// batches and dropout, whatever the number of interruptions, of workers and of ranks.
// The files of both splits are checked before the first step. An error after some steps saves the
// state first.
// Throws Error: kUsage for settings that do not fit together; kBadInput for an unusable data set or
// weights, a run of other settings or data in the folder, or one that another process writes;
// kStopped when it is stopped before the first step; kFailure when a loss or gradient is not finite
// (the parameters stay as they were, the batch is written to the output folder) or a rank is lost.
TrainOutcome train(const TrainConfig& config, const World& world, const TrainHooks& hooks);

}  // namespace tagclip
