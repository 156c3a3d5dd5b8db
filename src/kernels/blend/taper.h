#pragma once

#include <cstdint>
#include <vector>

#include "kernels/common/device.h"

namespace tagclip {

// The weight of a tapered window of that length at a position, per axis: the distance to the nearer
// end, so that it begins and ends at next to nothing. Runs on the CPU and the GPU.
TAGCLIP_HOST_DEVICE inline float taper(int64_t position, int64_t length) {
  const int64_t nearer = position < length - 1 - position ? position : length - 1 - position;
  return static_cast<float>(nearer) + 0.5F;
}

// The weights along an axis of that length, 1 where windows are not tapered.
inline std::vector<float> window_weights(int64_t length, bool tapered) {
  std::vector<float> weights(length, 1);
  for (int64_t i = 0; tapered && i < length; ++i) weights[i] = taper(i, length);
  return weights;
}

}  // namespace tagclip
