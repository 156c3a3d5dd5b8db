#pragma once

#include <random>

#include "data/geometry.h"

namespace tagclip {

// Of `labels` resized to `size` by resize_nearest, which is not done: pixels are counted where they
// come from. `box` lies inside `size`.

// True when more than one class is present and none covers `max_ratio` or more of the labelled
// pixels.
bool crop_is_mixed(const LabelMap& labels, Size size, const CropBox& box, double max_ratio);

// A random square of `crop_size`; smaller pictures give smaller crops. Ten candidates are tested
// with crop_is_mixed; when all fail the eleventh is taken untested. A `max_ratio` of 1 or more
// takes the first.
CropBox draw_crop(const LabelMap& labels, Size size, int crop_size, double max_ratio,
                  std::mt19937_64& random);
// The same without a condition, for pictures without labels.
CropBox draw_crop(Size source, int crop_size, std::mt19937_64& random);

}  // namespace tagclip
