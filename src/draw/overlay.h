#pragma once

#include <vector>

#include "draw/legend.h"

namespace tagclip {

// A picture to look at: the photo under translucent class colours with borders between the classes,
// grey where unlabelled, and below it a legend. It is at most 2048 pixels long; small photos are
// enlarged until the legend beside them can be read. `palette`: a colour for every label in
// `labels`.
Image draw_overlay(const Image& photo, const LabelMap& labels, const std::vector<Colour>& palette,
                   const std::vector<LegendEntry>& legend);

}  // namespace tagclip
