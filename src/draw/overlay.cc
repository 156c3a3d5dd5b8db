#include "draw/overlay.h"

#include <algorithm>

#include "base/error.h"
#include "data/resize.h"
#include "draw/canvas.h"
#include "draw/class_colours.h"
#include "draw/view.h"

namespace tagclip {
namespace {

constexpr int kLongest = 2048;  // pixels of the photo in the overlay
constexpr int kNarrowest = 400;

// The size at which a photo is shown.
Size view_size(Size photo) {
  const int longest = std::max(photo.width, photo.height);
  if (longest > kLongest) return fit_within(photo, kLongest, kLongest);
  const int wanted = (kNarrowest + photo.width - 1) / photo.width;
  const int factor = std::clamp(wanted, 1, kLongest / longest);
  return {photo.width * factor, photo.height * factor};
}

}  // namespace

Image draw_overlay(const Image& photo, const LabelMap& labels, const std::vector<Colour>& palette,
                   const std::vector<LegendEntry>& legend) {
  TAGCLIP_CHECK(photo.width == labels.width && photo.height == labels.height,
                "labels of the photo's size");
  const Size size = view_size({photo.width, photo.height});
  Image view = view_of(photo, size);
  colour_classes(view, resize_nearest(labels, size), palette);

  const int width = std::max(size.width, kNarrowest);
  const int max_rows = std::clamp(size.height / 120, 4, 8);
  const Image strip = draw_legend(legend, width, max_rows);
  Image overlay = filled(width, size.height + strip.height, kPaper);
  paste(view, (width - size.width) / 2, 0, overlay);
  paste(strip, 0, size.height, overlay);
  return overlay;
}

}  // namespace tagclip
