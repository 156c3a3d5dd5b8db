#pragma once

#include "data/geometry.h"
#include "image/pixel_normalization.h"

namespace tagclip {

// Writes the normalised image into planes [3, size.height, size.width] at `out`, padded with 0 at
// the right and bottom. `size` is at least the image's.
void normalise_into(const Image& image, const PixelNormalization& normalization, Size size,
                    float* out);

}  // namespace tagclip
