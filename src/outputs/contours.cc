#include "outputs/contours.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <unordered_map>

#include "base/error.h"

namespace tagclip {
namespace {

enum Direction : uint8_t { kEast, kSouth, kWest, kNorth };

// A pixel's side that is a border, walked with the region on the right hand.
struct Side {
  int x = 0, y = 0;  // the corner where it starts
  Direction direction = kEast;

  Point start() const { return {x, y}; }
  Point end() const {
    constexpr int kDx[] = {1, 0, -1, 0}, kDy[] = {0, 1, 0, -1};
    return {x + kDx[direction], y + kDy[direction]};
  }
  // The pixel of the region.
  Point pixel() const {
    constexpr int kDx[] = {0, -1, -1, 0}, kDy[] = {0, 0, -1, -1};
    return {x + kDx[direction], y + kDy[direction]};
  }
};

using Loop = std::vector<Side>;  // each starts where the one before it ends

// Walks all borders of a mask.
class Tracer {
 public:
  explicit Tracer(const RegionMask& mask)
      : mask_(mask), walked_((static_cast<size_t>(mask.width) + 1) * (mask.height + 1)) {}

  // Loops that pass no corner twice.
  std::vector<Loop> loops() {
    for (int y = mask_.top; y <= mask_.top + mask_.height; ++y) {
      for (int x = mask_.left; x < mask_.left + mask_.width; ++x) {
        // Every loop has a side that runs east, below the upper border of a pixel.
        const Side side{x, y, kEast};
        if (is_border(side) && !is_walked(side)) walk(side);
      }
    }
    return std::move(loops_);
  }

 private:
  bool is_border(const Side& side) const {
    constexpr int kDx[] = {0, 0, -1, -1}, kDy[] = {-1, 0, 0, -1};  // of the pixel on the left hand
    const auto [x, y] = side.pixel();
    return mask_.contains(x, y) &&
           !mask_.contains(side.x + kDx[side.direction], side.y + kDy[side.direction]);
  }
  uint8_t& walked_from(const Side& side) {
    return walked_[static_cast<size_t>(side.y - mask_.top) * (mask_.width + 1) +
                   (side.x - mask_.left)];
  }
  bool is_walked(const Side& side) { return (walked_from(side) >> side.direction & 1) != 0; }

  // The next side of the same pixel's part: turns right where it can, so that pixels which touch
  // diagonally stay apart.
  Side next(const Side& side) const {
    const auto [x, y] = side.end();
    for (const int turn : {1, 0, 3}) {
      const Side candidate{x, y, static_cast<Direction>((side.direction + turn) % 4)};
      if (is_border(candidate)) return candidate;
    }
    throw InternalError("a border that ends");
  }

  void walk(const Side& first) {
    Loop open;
    std::map<Point, size_t> passed;  // corners where loops may touch, with their place in `open`
    Side side = first;
    do {
      walked_from(side) |= static_cast<uint8_t>(1 << side.direction);
      const auto [known, is_new] = passed.emplace(side.start(), open.size());
      if (!is_new) cut(known->second, open, passed);
      open.push_back(side);
      side = next(side);
    } while (side.start() != first.start() || side.direction != first.direction);
    loops_.push_back(std::move(open));
  }

  // Takes what was walked since a corner out as a loop of its own.
  void cut(size_t from, Loop& open, std::map<Point, size_t>& passed) {
    Loop loop(open.begin() + static_cast<ptrdiff_t>(from), open.end());
    for (size_t i = 1; i < loop.size(); ++i) passed.erase(loop[i].start());
    open.resize(from);
    loops_.push_back(std::move(loop));
  }

  const RegionMask& mask_;
  std::vector<uint8_t> walked_;  // a bit per direction of the sides that start at a corner
  std::vector<Loop> loops_;
};

// Twice the area inside, negative for a hole.
int64_t signed_area(const Loop& loop) {
  int64_t twice = 0;
  for (const Side& side : loop) {
    const auto [x, y] = side.end();
    twice += static_cast<int64_t>(side.x) * y - static_cast<int64_t>(x) * side.y;
  }
  return twice;
}

// The connected part that each pixel of a mask belongs to; diagonal neighbours are apart.
std::vector<uint32_t> parts_of(const RegionMask& mask) {
  std::vector<uint32_t> part(mask.inside.size(), 0);
  std::vector<size_t> left;
  uint32_t count = 0;
  for (size_t start = 0; start < part.size(); ++start) {
    if (mask.inside[start] == 0 || part[start] != 0) continue;
    part[start] = ++count;
    left.push_back(start);
    while (!left.empty()) {
      const size_t i = left.back();
      left.pop_back();
      const size_t x = i % mask.width, y = i / mask.width;
      const auto visit = [&](bool exists, size_t neighbour) {
        if (!exists || mask.inside[neighbour] == 0 || part[neighbour] != 0) return;
        part[neighbour] = count;
        left.push_back(neighbour);
      };
      visit(x > 0, i - 1);
      visit(x + 1 < static_cast<size_t>(mask.width), i + 1);
      visit(y > 0, i - mask.width);
      visit(y + 1 < static_cast<size_t>(mask.height), i + mask.width);
    }
  }
  return part;
}

// A connected part: the loop around it, and those around its holes.
struct PartLoops {
  Loop outer;
  std::vector<Loop> holes;
};

std::vector<PartLoops> loops_of_parts(const RegionMask& mask) {
  std::vector<Loop> loops = Tracer(mask).loops();
  const std::vector<uint32_t> part = parts_of(mask);
  std::vector<PartLoops> parts;
  for (Loop& loop : loops) {
    const auto [x, y] = loop.front().pixel();
    const uint32_t p = part[static_cast<size_t>(y - mask.top) * mask.width + (x - mask.left)];
    if (p > parts.size()) parts.resize(p);
    if (signed_area(loop) > 0) {
      TAGCLIP_CHECK(parts[p - 1].outer.empty(), "one outer border");
      parts[p - 1].outer = std::move(loop);
    } else {
      parts[p - 1].holes.push_back(std::move(loop));
    }
  }
  return parts;
}

// Leaves out points on straight lines, but keeps the ends of lines that are walked back.
Outline without_straight(const Outline& points) {
  Outline kept;
  for (size_t i = 0; i < points.size(); ++i) {
    const auto [x, y] = points[i];
    if (!kept.empty() && kept.back() == points[i]) continue;
    const Point before = kept.empty() ? points.back() : kept.back();
    // The next one that is another point.
    size_t j = i + 1;
    while (j < points.size() && points[j] == points[i]) ++j;
    const auto [next_x, next_y] = j < points.size() ? points[j] : points.front();
    const int64_t ax = x - before.first, ay = y - before.second, bx = next_x - x, by = next_y - y;
    const bool goes_on = ax * by == ay * bx && ax * bx + ay * by > 0;
    if (!goes_on) kept.push_back(points[i]);
  }
  while (kept.size() > 1 && kept.front() == kept.back()) kept.pop_back();
  while (kept.size() < 3) kept.push_back(kept.empty() ? points.front() : kept.back());
  return kept;
}

Outline corners_of(const Loop& loop) {
  Outline points;
  for (const Side& side : loop) points.push_back(side.start());
  return without_straight(points);
}

// Joins the loops of a part to one outline. A hole is entered at its leftmost border from the left,
// along a row of the part: what borders that row on the left is the outer loop, or that of a hole
// which begins farther left.
class Joiner {
 public:
  Joiner(const PartLoops& part, const RegionMask& mask, OutlineOf kind)
      : part_(part), kind_(kind), bridges_(part.holes.size() + 1) {
    std::map<Point, std::pair<size_t, size_t>> left_borders;  // by pixel: loop, and place in it
    const auto note = [&](size_t l) {
      const Loop& sides = loop(l);
      for (size_t i = 0; i < sides.size(); ++i) {
        if (sides[i].direction == kNorth) left_borders[sides[i].pixel()] = {l, i};
      }
    };
    for (size_t l = 0; l <= part.holes.size(); ++l) note(l);
    for (size_t h = 0; h < part.holes.size(); ++h) {
      const Loop& hole = part.holes[h];
      size_t entry = 0;
      for (size_t i = 0; i < hole.size(); ++i) {
        const bool better = hole[i].direction == kSouth &&
                            (hole[entry].direction != kSouth || hole[i].x < hole[entry].x);
        if (better) entry = i;
      }
      auto [x, y] = hole[entry].pixel();
      while (mask.contains(x - 1, y)) --x;
      const auto [target, place] = left_borders.at({x, y});
      bridges_[target].emplace(place, Bridge{h + 1, entry});
    }
  }

  Outline outline() {
    emit(0, 0);
    return without_straight(points_);
  }

 private:
  struct Bridge {
    size_t hole = 0, entry = 0;
  };

  const Loop& loop(size_t l) const { return l == 0 ? part_.outer : part_.holes[l - 1]; }

  void put(Point corner, Point pixel) {
    points_.push_back(kind_ == OutlineOf::kEdges ? corner : pixel);
  }

  // A loop from one of its sides on, with the holes that are entered from it.
  void emit(size_t l, size_t first) {
    const Loop& sides = loop(l);
    for (size_t n = 0; n < sides.size(); ++n) {
      const size_t i = (first + n) % sides.size();
      const Side& side = sides[i];
      put(side.end(), side.pixel());
      const auto [begin, end] = bridges_[l].equal_range(i);
      for (auto bridge = begin; bridge != end; ++bridge) {
        const auto [hole, entry] = bridge->second;
        const Side& door = loop(hole)[entry];
        put(door.start(), door.pixel());
        emit(hole, entry);
        put(door.start(), door.pixel());
        put(side.end(), side.pixel());
      }
    }
  }

  const PartLoops& part_;
  OutlineOf kind_;
  std::vector<std::multimap<size_t, Bridge>> bridges_;  // per loop, by place
  Outline points_;
};

// Marks the points that the line from `first` to `last` may not leave out; `last` may lie behind
// the end.
void keep_between(const Outline& points, size_t first, size_t last, double tolerance,
                  std::vector<bool>& keep) {
  std::vector<std::pair<size_t, size_t>> left = {{first, last}};
  while (!left.empty()) {
    const auto [from, to] = left.back();
    left.pop_back();
    const auto [ax, ay] = points[from % points.size()];
    const auto [bx, by] = points[to % points.size()];
    const double length = std::hypot(bx - ax, by - ay);
    double farthest = tolerance;
    size_t at = from;
    for (size_t i = from + 1; i < to; ++i) {
      const auto [x, y] = points[i % points.size()];
      double distance = std::hypot(x - ax, y - ay);
      if (length > 0) {
        const double along = std::clamp(
            ((x - ax) * double(bx - ax) + (y - ay) * double(by - ay)) / (length * length), 0.0,
            1.0);
        distance = std::hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
      }
      if (distance > farthest) farthest = distance, at = i;
    }
    if (at == from) continue;
    keep[at % points.size()] = true;
    left.emplace_back(from, at);
    left.emplace_back(at, to);
  }
}

}  // namespace

std::vector<RegionPolygon> trace_polygons(const RegionMask& mask) {
  std::vector<RegionPolygon> polygons;
  for (const PartLoops& part : loops_of_parts(mask)) {
    RegionPolygon& polygon = polygons.emplace_back();
    polygon.outer = corners_of(part.outer);
    for (const Loop& hole : part.holes) polygon.holes.push_back(corners_of(hole));
  }
  return polygons;
}

std::vector<Outline> trace_outlines(const RegionMask& mask, OutlineOf kind) {
  std::vector<Outline> outlines;
  for (const PartLoops& part : loops_of_parts(mask)) {
    outlines.push_back(Joiner(part, mask, kind).outline());
  }
  return outlines;
}

Outline simplified(const Outline& outline, double tolerance) {
  if (tolerance <= 0 || outline.size() <= 3) return outline;
  std::vector<bool> keep(outline.size(), false);
  // The two ends of the first stretch: a point, and the one farthest from it.
  const auto [x0, y0] = outline.front();
  const auto far = std::ranges::max_element(outline, {}, [&, x0 = x0, y0 = y0](const Point& p) {
    return std::hypot(p.first - x0, p.second - y0);
  });
  const auto middle = static_cast<size_t>(far - outline.begin());
  keep[0] = keep[middle] = true;
  keep_between(outline, 0, middle, tolerance, keep);
  keep_between(outline, middle, outline.size(), tolerance, keep);
  Outline kept;
  for (size_t i = 0; i < outline.size(); ++i) {
    if (keep[i]) kept.push_back(outline[i]);
  }
  return kept.size() < 3 ? Outline{outline[0], outline[middle / 2], outline[middle]} : kept;
}

}  // namespace tagclip
