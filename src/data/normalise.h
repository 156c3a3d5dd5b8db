#pragma once

#include <array>

#include "data/geometry.h"

namespace tagclip {

// Mean and standard deviation of each channel, 0..255, RGB.
struct Normalisation {
  std::array<double, 3> mean{123.675, 116.28, 103.53};
  std::array<double, 3> deviation{58.395, 57.12, 57.375};
};

// (pixel - mean) / deviation into planes [3, size.height, size.width] at `out`, padded with 0 at
// the right and bottom. `size` is at least the image's.
void normalise_into(const Image& image, const Normalisation& normalisation, Size size, float* out);

}  // namespace tagclip
