#include "label_formats/raster.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "base/error.h"
#include "base/rounding.h"

namespace tagclip {
namespace {

// The value lies beyond any picture, and is small enough for arithmetic in int.
constexpr double kFar = 1e6;

double clamped(double coordinate) {
  return std::isnan(coordinate) ? 0 : std::clamp(coordinate, -kFar, kFar);
}

// Both ends belong to it.
void fill_span(LabelMap& map, int y, double left, double right, uint16_t value) {
  if (y < 0 || y >= map.height) return;
  const int first = std::max(0, rounded_half_up(left));
  const int last = std::min(map.width - 1, static_cast<int>(std::ceil(right - 0.5)));
  if (first > last) return;
  const auto row = map.labels.begin() + static_cast<ptrdiff_t>(y) * map.width;
  std::fill(row + first, row + last + 1, value);
}

struct Edge {
  int x0, y0, x1, y1;  // y0 <= y1

  float at(int y) const {
    const float slope = static_cast<float>(x1 - x0) / static_cast<float>(y1 - y0);
    return static_cast<float>(y - y0) * slope + static_cast<float>(x0);
  }
};

// `(int)(value + 0.5)` of COCO's code, in C: of negative values the part behind the point is
// dropped.
int rounded_as_c(double value) { return static_cast<int>(std::trunc(value + 0.5)); }

// Calls visit(u, v) for the points of a line on a grid, from one end to the other: one for each
// step along its longer side. The other coordinate is rounded as if the line ran upwards.
template <class Visit>
void walk_line(int u0, int v0, int u1, int v1, Visit visit) {
  const int du = std::abs(u1 - u0), dv = std::abs(v1 - v0);
  const bool along_u = du >= dv;
  const bool backwards = along_u ? u0 > u1 : v0 > v1;
  if (backwards) {
    std::swap(u0, u1);
    std::swap(v0, v1);
  }
  const int steps = std::max(du, dv);
  const double slope = steps == 0 ? 0 : static_cast<double>(along_u ? v1 - v0 : u1 - u0) / steps;
  for (int i = 0; i <= steps; ++i) {
    const int t = backwards ? steps - i : i;
    if (along_u) {
      visit(u0 + t, rounded_as_c(v0 + slope * t));
    } else {
      visit(rounded_as_c(u0 + slope * t), v0 + t);
    }
  }
}

}  // namespace

void fill_polygon(LabelMap& map, const Polygon& polygon, uint16_t value) {
  if (polygon.size() < 3) return;
  std::vector<Edge> edges;
  int top = map.height, bottom = -1;
  for (size_t i = 0; i < polygon.size(); ++i) {
    const PolygonPoint &from = polygon[i], &to = polygon[(i + 1) % polygon.size()];
    Edge edge{static_cast<int>(clamped(from.x)), static_cast<int>(clamped(from.y)),
              static_cast<int>(clamped(to.x)), static_cast<int>(clamped(to.y))};
    if (edge.y0 > edge.y1) edge = {edge.x1, edge.y1, edge.x0, edge.y0};
    top = std::min(top, edge.y0);
    bottom = std::max(bottom, edge.y1);
    if (edge.y0 == edge.y1) {
      fill_span(map, edge.y0, std::min(edge.x0, edge.x1), std::max(edge.x0, edge.x1), value);
    } else {
      edges.push_back(edge);
    }
  }
  std::vector<float> crossings;
  for (int y = std::max(top, 0); y <= std::min(bottom, map.height - 1); ++y) {
    crossings.clear();
    for (const Edge& edge : edges) {
      if (y < edge.y0 || y > edge.y1) continue;
      crossings.push_back(edge.at(y));
      // The lower end of an edge is a point of the boundary, and changes nothing to its right.
      if (y == edge.y1 && y < bottom) crossings.push_back(crossings.back());
    }
    std::ranges::sort(crossings);
    for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
      fill_span(map, y, crossings[i], crossings[i + 1], value);
    }
  }
}

void fill_coco_polygon(LabelMap& map, const Polygon& polygon, uint16_t value) {
  // The boundary is followed on a grid of fifths. Where it passes from one side of a column's
  // middle to the other, the pixels below turn inside out.
  constexpr int kFine = 5, kBeforeMiddle = 2;
  if (polygon.size() < 3) return;
  const auto fine = [](double coordinate) { return rounded_as_c(kFine * clamped(coordinate)); };
  std::vector<std::vector<int>> turns(map.width);  // rows, by column
  bool has_last = false;
  int last_u = 0, last_v = 0;
  const auto visit = [&](int u, int v) {
    if (has_last && u != last_u) {
      const int left = std::min(u, last_u), column = (left - kBeforeMiddle) / kFine;
      if (left >= kBeforeMiddle && (left - kBeforeMiddle) % kFine == 0 && column < map.width) {
        const double row = (std::min(v, last_v) + 0.5) / kFine - 0.5;
        turns[column].push_back(
            static_cast<int>(std::ceil(std::clamp(row, 0.0, static_cast<double>(map.height)))));
      }
    }
    has_last = true;
    last_u = u;
    last_v = v;
  };
  for (size_t i = 0; i < polygon.size(); ++i) {
    const PolygonPoint &from = polygon[i], &to = polygon[(i + 1) % polygon.size()];
    walk_line(fine(from.x), fine(from.y), fine(to.x), fine(to.y), visit);
  }
  for (int x = 0; x < map.width; ++x) {
    std::ranges::sort(turns[x]);
    for (size_t i = 0; i + 1 < turns[x].size(); i += 2) {
      for (int y = turns[x][i]; y < turns[x][i + 1]; ++y) {
        map.labels[static_cast<size_t>(y) * map.width + x] = value;
      }
    }
  }
}

void fill_rectangle(LabelMap& map, PolygonPoint a, PolygonPoint b, uint16_t value) {
  fill_polygon(map, {{a.x, a.y}, {b.x, a.y}, {b.x, b.y}, {a.x, b.y}}, value);
}

void fill_circle(LabelMap& map, PolygonPoint centre, double radius, uint16_t value) {
  // Pillow fills the ellipse of a box of whole pixels.
  const auto box = [&](double from) {
    return std::pair(static_cast<int>(clamped(from - radius)),
                     static_cast<int>(clamped(from + radius)));
  };
  const auto [left, right] = box(centre.x);
  const auto [top, bottom] = box(centre.y);
  const double cx = (left + right) / 2.0, cy = (top + bottom) / 2.0;
  const double across = (right - left + 1) / 2.0, down = (bottom - top + 1) / 2.0;
  for (int y = std::max(0, top); y <= std::min(map.height - 1, bottom); ++y) {
    const double part = (y - cy) / down;
    const double half = across * std::sqrt(std::max(0.0, 1 - part * part));
    fill_span(map, y, std::ceil(cx - half), std::floor(cx + half), value);
  }
}

void fill_runs(LabelMap& map, const std::vector<uint32_t>& runs, uint16_t value) {
  uint64_t at = 0;
  bool inside = false;
  for (const uint32_t run : runs) {
    const uint64_t end = at + run;
    if (end > map.size()) throw bad_input("its run lengths are more than the photo's pixels");
    for (; inside && at < end; ++at) {
      map.labels[at % map.height * map.width + at / map.height] = value;
    }
    at = end;
    inside = !inside;
  }
  if (at != map.size()) throw bad_input("its run lengths are fewer than the photo's pixels");
}

std::vector<uint32_t> unpack_runs(std::string_view packed) {
  // A character holds six bits: five of the number, lowest first, and whether more follow; the top
  // one of the last is the sign. From the fourth run on, differences to the last but one are
  // stored.
  constexpr int kFirst = 48, kMore = 0x20, kSign = 0x10, kBits = 5, kMostBits = 35;
  std::vector<uint32_t> runs;
  for (size_t at = 0; at < packed.size();) {
    int64_t number = 0;
    for (int shift = 0;; shift += kBits) {
      const int code = at < packed.size() ? packed[at++] - kFirst : -1;
      if (code < 0 || code > 63 || shift > kMostBits) throw bad_input("its run lengths are broken");
      number |= static_cast<int64_t>(code & 0x1F) << shift;
      if ((code & kMore) != 0) continue;
      if ((code & kSign) != 0) number |= -(int64_t{1} << (shift + kBits));
      break;
    }
    if (runs.size() > 2) number += runs[runs.size() - 2];
    if (number < 0 || number > UINT32_MAX) throw bad_input("its run lengths are broken");
    runs.push_back(static_cast<uint32_t>(number));
  }
  return runs;
}

double polygon_area(const Polygon& polygon) {
  double twice = 0;
  for (size_t i = 0; i < polygon.size(); ++i) {
    const PolygonPoint &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
    twice += clamped(a.x) * clamped(b.y) - clamped(b.x) * clamped(a.y);
  }
  return std::abs(twice) / 2;
}

}  // namespace tagclip
