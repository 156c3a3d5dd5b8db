#pragma once

#include <string>
#include <vector>

#include "image/image.h"
#include "image/label_map.h"

namespace tagclip {

// A row of a grid: a photo, and label maps of its size, such as the prediction and the truth.
struct GridRow {
  Image photo;
  std::vector<LabelMap> maps;
};

// One picture of all rows: each photo, and beside it the photo under the colours of each of its
// maps, as wide as each other; below them a legend of the classes that occur, unseen ones marked.
// `seen`: one mark a class. Rows are not empty, and have as many maps as each other.
Image draw_photo_grid(const std::vector<GridRow>& rows, const std::vector<std::string>& classes,
                      const std::vector<bool>& seen);

}  // namespace tagclip
