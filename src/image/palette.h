#pragma once

#include <string_view>
#include <vector>

#include "image/label_map.h"

namespace tagclip {

// The colours in which this program shows `classes` classes, in label files and overlays: bright,
// neighbours of very different hue.
std::vector<Colour> result_palette(size_t classes);

// The value of unlabelled pixels in a label file of that many classes (see write_label_map).
int unlabelled_value(size_t classes);

// The colours of PASCAL VOC's palette, continued by its own rule beyond 256 entries. Entry i is the
// colour of class i; VOC's entry 0, black, is left out so that no class is black.
std::vector<Colour> voc_palette(size_t classes);

// The colours in which a published data set shows its classes, by label value.
struct LabelPalette {
  std::string_view title;  // the data set's name
  std::vector<Colour> colours;
};

// Returns the palettes of PASCAL VOC (with background) and of mmsegmentation's PASCAL Context (with
// background) and COCO-Stuff.
const std::vector<LabelPalette>& label_palettes();

}  // namespace tagclip
