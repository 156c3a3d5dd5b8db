#pragma once

#include <cstdint>

#include "model/config.h"

namespace tagclip::bench {

// Both count the floating point operations of the matrix products that the result needs, two per
// multiply-add, for photos of the model's resolution. Norms, softmax, resizing and losses are not
// counted, nor is what only one way of computing the result does.

// Counts from a photo to its logits. Projected prompts count as given.
double segment_flops(const ModelConfig& config, int64_t classes);

// Counts the forward pass and the gradients of a batch: a product costs itself again for each
// factor whose gradient is needed.
double train_step_flops(const ModelConfig& config, int64_t classes, int64_t batch);

}  // namespace tagclip::bench
