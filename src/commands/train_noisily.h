#pragma once

#include "base/console.h"
#include "train/trainer.h"

namespace tagclip {

// Trains, and tells the console how it goes; of several ranks the first one does.
TrainOutcome train_noisily(const TrainConfig& config, const Ranks& ranks, Console& console);

}  // namespace tagclip
