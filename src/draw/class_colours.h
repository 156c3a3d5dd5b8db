#pragma once

#include <vector>

#include "image/image.h"
#include "image/label_map.h"

namespace tagclip {

// Of unlabelled pixels in legends.
inline constexpr Colour kUnlabelledColour{96, 96, 96};

// Lays translucent class colours over a picture, with borders between the classes; unlabelled
// pixels become grey. `labels` has the picture's size, `palette` a colour for every label in it.
void colour_classes(Image& view, const LabelMap& labels, const std::vector<Colour>& palette);

}  // namespace tagclip
