#pragma once

#include "base/console.h"
#include "train/train.h"

namespace tagclip {

// Trains, with progress, losses and validations on the console of the root rank.
TrainOutcome train_with_progress(const TrainConfig& config, const World& world, Console& console);

}  // namespace tagclip
