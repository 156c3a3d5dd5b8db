#pragma once

#include <vector>

#include "data/geometry.h"

namespace tagclip {

// OpenCV's resizing to the byte, whatever the processor. Sizes are positive.

// INTER_LINEAR on 8 bits: fixed point, 11-bit weights.
Image resize_bilinear(const Image& image, Size size);
// The part `window` of the resized picture, at the cost of that part.
Image resize_bilinear(const Image& image, Size size, const CropBox& window);

// INTER_NEAREST: where `count` outputs from `begin` on read, of `target` made of `source`.
std::vector<int> nearest_indices(int source, int target, int begin, int count);
LabelMap resize_nearest(const LabelMap& map, Size size);
LabelMap resize_nearest(const LabelMap& map, Size size, const CropBox& window);

}  // namespace tagclip
