#pragma once

#include <random>

#include "data/geometry.h"

namespace tagclip {

// True when more than one class is present and none covers `max_ratio` or more of the labelled
// pixels.
bool crop_is_mixed(const LabelMap& map, const CropBox& box, double max_ratio);

// A random square of `crop_size` inside the map; smaller sources give smaller crops. Ten candidates
// are tested with crop_is_mixed; when all fail the eleventh is taken untested. A `max_ratio` of 1
// or more takes the first.
CropBox draw_crop(const LabelMap& map, int crop_size, double max_ratio, std::mt19937_64& random);
// The same without a condition, for pictures without labels.
CropBox draw_crop(Size source, int crop_size, std::mt19937_64& random);

}  // namespace tagclip
