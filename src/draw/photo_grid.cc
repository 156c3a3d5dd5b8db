#include "draw/photo_grid.h"

#include <algorithm>

#include "base/error.h"
#include "data/image_ops.h"
#include "draw/canvas.h"
#include "draw/overlay.h"
#include "image/palette.h"

namespace tagclip {
namespace {

constexpr int kCell = 320;     // width of a photo
constexpr int kTallest = 640;  // of a row, for photos of odd shapes
constexpr int kGap = 4;
constexpr int kLegendRows = 8;

Size cell_size(const Image& photo) {
  const int64_t height = (int64_t{photo.height} * kCell + photo.width / 2) / photo.width;
  return {kCell, static_cast<int>(std::clamp<int64_t>(height, 1, kTallest))};
}

// Returns a row of the grid: its cells side by side.
Image draw_row(const GridRow& row, const std::vector<Colour>& palette) {
  const Size size = cell_size(row.photo);
  const Image photo = preview(row.photo, size);
  const int cells = 1 + static_cast<int>(row.maps.size());
  Image strip = solid_image(cells * (kCell + kGap) - kGap, size.height, kBackgroundColour);
  paste(photo, 0, 0, strip);
  int left = 0;
  for (const LabelMap& map : row.maps) {
    TAGCLIP_CHECK(map.width == row.photo.width && map.height == row.photo.height,
                  "labels of the photo's size");
    Image cell = photo;
    colour_classes(cell, resize_nearest(map, size), palette);
    paste(cell, left += kCell + kGap, 0, strip);
  }
  return strip;
}

std::vector<LegendEntry> legend_of(const std::vector<GridRow>& rows,
                                   const std::vector<std::string>& classes,
                                   const std::vector<bool>& seen,
                                   const std::vector<Colour>& palette) {
  std::vector<bool> present(classes.size());
  bool unlabelled = false;
  for (const GridRow& row : rows) {
    for (const LabelMap& map : row.maps) {
      for (const uint16_t label : map.labels) {
        if (label == kIgnoreIndex) {
          unlabelled = true;
        } else {
          present.at(label) = true;
        }
      }
    }
  }
  std::vector<LegendEntry> legend;
  for (size_t c = 0; c < classes.size(); ++c) {
    if (present[c]) legend.push_back({palette[c], classes[c], seen[c] ? "" : "unseen"});
  }
  if (unlabelled || legend.empty()) legend.push_back({kUnlabelledColour, "unlabelled", ""});
  return legend;
}

}  // namespace

Image draw_photo_grid(const std::vector<GridRow>& rows, const std::vector<std::string>& classes,
                      const std::vector<bool>& seen) {
  TAGCLIP_CHECK(!rows.empty() && seen.size() == classes.size(), "photos, and a mark per class");
  const std::vector<Colour> palette = result_palette(classes.size());
  std::vector<Image> strips;
  int height = 0;
  for (const GridRow& row : rows) {
    TAGCLIP_CHECK(row.maps.size() == rows[0].maps.size(), "the same number of maps in every row");
    strips.push_back(draw_row(row, palette));
    height += strips.back().height + kGap;
  }
  const int width = strips[0].width;
  const Image legend = draw_legend(legend_of(rows, classes, seen, palette), width, kLegendRows);
  Image grid = solid_image(width, height + legend.height, kBackgroundColour);
  int top = 0;
  for (const Image& strip : strips) {
    paste(strip, 0, top, grid);
    top += strip.height + kGap;
  }
  paste(legend, 0, top, grid);
  return grid;
}

}  // namespace tagclip
