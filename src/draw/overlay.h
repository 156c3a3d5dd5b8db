#pragma once

#include <string>
#include <vector>

#include "image/image.h"
#include "image/label_map.h"

namespace tagclip {

// Of unlabelled pixels in legends.
inline constexpr Colour kUnlabelledColour{96, 96, 96};

// Lays translucent class colours over a picture, with borders between the classes; unlabelled
// pixels become grey. `labels` has the picture's size, `palette` a colour for every label in it.
void colour_classes(Image& view, const LabelMap& labels, const std::vector<Colour>& palette);

struct LegendEntry {
  Colour colour{};
  std::string name;    // UTF-8
  std::string detail;  // behind the name, in grey
};

// A strip of the given width that explains colours, entries in columns in their order. Names that
// are too long end in an ellipsis; entries that do not fit into `max_rows` rows become "+ n more".
Image draw_legend(const std::vector<LegendEntry>& entries, int width, int max_rows);

// A picture to look at: the photo under translucent class colours with borders between the classes,
// grey where unlabelled, and below it a legend. It is at most 2048 pixels long; small photos are
// enlarged until the legend beside them can be read. `palette`: a colour for every label in
// `labels`.
Image draw_overlay(const Image& photo, const LabelMap& labels, const std::vector<Colour>& palette,
                   const std::vector<LegendEntry>& legend);

}  // namespace tagclip
