#pragma once

#include <string_view>
#include <vector>

#include "image/label_map.h"

namespace tagclip {

// The colours a data set's classes are shown in, by label value.
struct LabelPalette {
  std::string_view title;  // whose
  std::vector<Colour> colours;
};

// PASCAL VOC's (with background), and mmsegmentation's of PASCAL Context (with background) and
// COCO-Stuff.
const std::vector<LabelPalette>& label_palettes();

}  // namespace tagclip
