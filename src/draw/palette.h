#pragma once

#include <vector>

#include "image/label_map.h"

namespace tagclip {

// The colours of classes in label files and overlays: bright, neighbours of very different hue.
std::vector<Colour> result_palette(size_t classes);

// What unlabelled pixels are in a label file of that many classes (see write_label_map).
int unlabelled_value(size_t classes);

}  // namespace tagclip
