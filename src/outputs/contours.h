#pragma once

#include <utility>
#include <vector>

#include "outputs/regions.h"

namespace tagclip {

// Coordinates of pixels (x, y from the upper left), or of their corners: pixel x, y covers the
// square from (x, y) to (x + 1, y + 1).
using Point = std::pair<int, int>;
using Outline = std::vector<Point>;  // closed: the last point is followed by the first

// The places that an outline runs through.
enum class OutlineOf {
  kEdges,    // the borders between pixels: what COCO and geometry programs take
  kCentres,  // the region's own outermost pixels, which belong to it: as Pillow and OpenCV fill
};

// An outer border and the holes in it, none of which crosses itself or another; they may touch at
// corners of pixels.
struct RegionPolygon {
  Outline outer;               // clockwise, as one sees it with y pointing down
  std::vector<Outline> holes;  // anticlockwise
};

// The borders of a region's parts, between its pixels and all others. Parts that touch diagonally
// are apart. The even-odd rule gives back the mask.
std::vector<RegionPolygon> trace_polygons(const RegionMask& mask);

// The same with one outline per part: where a part has holes, it runs into each and back on the
// same line. Filling by the even-odd rule gives back the mask, with OutlineOf::kCentres together
// with the pixels on the outline. Parts of a pixel or a line have points more than once, so that
// each has at least three.
std::vector<Outline> trace_outlines(const RegionMask& mask, OutlineOf kind);

// Leaves out points of an outline so that no point that is left out is more than `tolerance` pixels
// away from the line that takes its place. At least three points stay.
Outline simplified(const Outline& outline, double tolerance);

}  // namespace tagclip
