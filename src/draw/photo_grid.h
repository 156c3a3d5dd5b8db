#pragma once

#include <string>
#include <vector>

#include "image/image.h"
#include "image/label_map.h"

namespace tagclip {

// A row of a grid: a photo, and label maps of its size, such as prediction and ground truth.
struct GridRow {
  Image photo;
  std::vector<LabelMap> maps;
};

// Returns one image of all rows: each photo, and beside it the photo under the colours of each of
// its maps; below them a legend of the classes that occur, with the unseen ones marked. `seen` has
// a mark per class. There is at least one row, and all have the same number of maps.
Image draw_photo_grid(const std::vector<GridRow>& rows, const std::vector<std::string>& classes,
                      const std::vector<bool>& seen);

}  // namespace tagclip
