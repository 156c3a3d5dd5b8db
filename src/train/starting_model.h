#pragma once

#include <functional>
#include <string>

#include "model/checkpoint.h"
#include "train/train_config.h"

namespace tagclip {

// The model before the first iteration, on `device`: from a CLIP (config.clip) with prompts and
// head drawn anew, or from a trained model (config.start) with prompts and head as they are. `warn`
// is called with what had to be assumed of the weights. Throws Error: kBadInput for weights that
// cannot be read or do not fit the config, kUsage for a crop size that the patches do not divide.
SegmentationModel starting_model(const TrainConfig& config, at::Device device,
                                 const std::function<void(const std::string&)>& warn);

// Copies a trained model, text tower included, into `model`. Its position grid is resized to the
// model's; its trusty token is left out where the model has none. Everything else must fit: throws
// Error(kBadInput) that lists every tensor that does not, and every setting that differs.
void start_from_model(SegmentationModel& model, const ModelWeights& start);

}  // namespace tagclip
