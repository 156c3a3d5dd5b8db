#pragma once

#include <cstdint>
#include <vector>

#include "outputs/regions.h"

namespace tagclip {

// COCO's run lengths of a region in a photo of this size: down the columns, of pixels outside and
// inside in turn. label_formats/raster.h fills them.
std::vector<uint32_t> column_runs(const RegionMask& mask, int width, int height);

// Label Studio's brush format: the run lengths of RGBA pixels, row by row, as numbers of a byte.
// Pixels of the region are 255 in all channels, others 0.
std::vector<uint8_t> brush_runs(const RegionMask& mask, int width, int height);

}  // namespace tagclip
