#pragma once

#include <vector>

#include "data/geometry.h"
#include "kernels/blend/blend.h"

namespace tagclip {

// The sliding windows over a picture, row by row (spec section 7.1): `window` wide and high,
// `stride` apart, the last of a row or column moved back to lie flush with the border. A side
// shorter than the window is covered by one window of that length, so a window larger than the
// picture means: all of it at once. `window` and `stride` are positive.
std::vector<CropBox> window_grid(Size picture, int window, int stride);

// The same for `blend`. All boxes must be of one size.
WindowLayout layout_of(const std::vector<CropBox>& windows, Size picture);

}  // namespace tagclip
