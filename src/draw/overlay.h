#pragma once

#include <string>
#include <vector>

#include "data/image_ops.h"
#include "image/image.h"
#include "image/label_map.h"

namespace tagclip {

// The colour of unlabelled pixels in legends.
inline constexpr Colour kUnlabelledColour{96, 96, 96};

// Blends class colours into an image, stronger at the borders between classes; unlabelled pixels
// become grey. `labels` has the image's size, `palette` a colour for every label in it.
void colour_classes(Image& image, const LabelMap& labels, const std::vector<Colour>& palette);

// A line of a legend.
struct LegendEntry {
  Colour colour{};
  std::string name;    // UTF-8
  std::string detail;  // behind the name, in grey
};

// Returns a legend of the given width, with the entries in columns. Names that are too long end in
// an ellipsis; entries that do not fit into `max_rows` rows become "+ n more".
Image draw_legend(const std::vector<LegendEntry>& entries, int width, int max_rows);

// Returns the size that a photo has in its overlay.
Size overlay_photo_size(Size photo);

// Returns the photo under its class colours (colour_classes) with a legend below it, at most 2048
// pixels on the long side; small photos are enlarged until the legend is readable. `palette` has a
// colour for every label in `labels`.
Image draw_overlay(const Image& photo, const LabelMap& labels, const std::vector<Colour>& palette,
                   const std::vector<LegendEntry>& legend);

}  // namespace tagclip
