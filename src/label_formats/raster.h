#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "image/label_map.h"

namespace tagclip {

// Pixel x, y covers the square from (x, y) to (x + 1, y + 1) in COCO's coordinates; LabelMe and
// Pillow give the pixel itself the coordinates x, y. Whatever lies outside of a map is clipped.
struct PolygonPoint {
  double x = 0, y = 0;
};
using Polygon = std::vector<PolygonPoint>;

// Twice crossed is outside (even-odd rule): a polygon that runs around a hole leaves it out. Fewer
// than three points fill nothing.

// Coordinates lose their fraction, and the boundary belongs to the polygon, as Pillow draws for
// LabelMe and for Cityscapes.
void fill_polygon(LabelMap& map, const Polygon& polygon, uint16_t value);

// The pixels that pycocotools' frPyObjects gives a polygon.
void fill_coco_polygon(LabelMap& map, const Polygon& polygon, uint16_t value);

// The corners belong to it, in any order.
void fill_rectangle(LabelMap& map, PolygonPoint a, PolygonPoint b, uint16_t value);
void fill_circle(LabelMap& map, PolygonPoint centre, double radius, uint16_t value);

// COCO's run-length encoding: lengths of runs down the columns, of pixels outside and inside in
// turn. Throws Error(kBadInput) when they do not fill the map.
void fill_runs(LabelMap& map, const std::vector<uint32_t>& runs, uint16_t value);

// The runs that COCO's text form packs. Throws Error(kBadInput) for a broken text.
std::vector<uint32_t> unpack_runs(std::string_view packed);

// Returns the area of a polygon, which is never negative.
double polygon_area(const Polygon& polygon);

}  // namespace tagclip
