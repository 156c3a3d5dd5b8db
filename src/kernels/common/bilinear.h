#pragma once

#include <cstdint>
#include <vector>

#include "kernels/common/host_device.h"

namespace tagclip {

// Indices begin .. end - 1.
struct Interval {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

// Where an output of a bilinear interpolation along one axis (align_corners false) lies: it is
// input[low] + fraction (input[high] - input[low]), high - low being 0 or 1.
struct BilinearPlace {
  int32_t low, high;
  float fraction;
};

// Of output i. scale: inputs / outputs, in float32, as LibTorch: along a long axis the rounding is
// visible.
TAGCLIP_HOST_DEVICE inline BilinearPlace bilinear_place(int32_t inputs, float scale, int32_t i) {
  const float exact = scale * (static_cast<float>(i) + 0.5f) - 0.5f;
  const float position = exact > 0 ? exact : 0;
  const auto whole = static_cast<int32_t>(position);
  const int32_t low = whole < inputs ? whole : inputs - 1;
  const float fraction = position - static_cast<float>(low);
  return {low, low + 1 < inputs ? low + 1 : low, fraction < 1 ? fraction : 1.0f};
}

// The places of all outputs.
struct BilinearAxis {
  BilinearAxis(int64_t from, int64_t to);

  // What outputs `part` (not empty) read.
  Interval inputs_of(Interval part) const { return {low[part.begin], high[part.end - 1] + 1}; }
  // Outputs `part` alone, inputs counted from the first they read.
  BilinearAxis slice(Interval part) const;

  std::vector<int32_t> low;
  std::vector<int32_t> high;
  std::vector<float> fraction;
};

}  // namespace tagclip
