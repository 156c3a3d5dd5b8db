#include "metrics/boundary_score.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "metrics/known_mean.h"

namespace tagclip {
namespace {

constexpr uint16_t kVoid = 0xFFFF;

struct Grid {
  int width, height;
};

struct Offset {
  int dx, dy;
};

// The pixels that lie on the border of their class, in place: all others become kVoid.
std::vector<uint16_t> borders(const std::vector<uint16_t>& labels, Grid grid) {
  std::vector<uint16_t> border(labels.size(), kVoid);
  for (int y = 0; y < grid.height; ++y) {
    for (int x = 0; x < grid.width; ++x) {
      const size_t i = static_cast<size_t>(y) * grid.width + x;
      const auto differs = [&](size_t other) {
        return labels[other] != kVoid && labels[other] != labels[i];
      };
      const bool is_border = (x > 0 && differs(i - 1)) || (x + 1 < grid.width && differs(i + 1)) ||
                             (y > 0 && differs(i - grid.width)) ||
                             (y + 1 < grid.height && differs(i + grid.width));
      if (labels[i] != kVoid && is_border) border[i] = labels[i];
    }
  }
  return border;
}

// A disc, nearest first.
std::vector<Offset> offsets_within(double radius) {
  std::vector<Offset> offsets;
  const int reach = static_cast<int>(radius);
  for (int dy = -reach; dy <= reach; ++dy) {
    for (int dx = -reach; dx <= reach; ++dx) {
      if (dx * dx + dy * dy <= radius * radius) offsets.push_back({dx, dy});
    }
  }
  std::ranges::stable_sort(offsets, {}, [](Offset o) { return o.dx * o.dx + o.dy * o.dy; });
  return offsets;
}

struct Matches {
  double pixels = 0, met = 0;
};

// For each class the border pixels of `from`, and those with one of the same class in `to` nearby.
std::vector<Matches> match(const std::vector<uint16_t>& from, const std::vector<uint16_t>& to,
                           Grid grid, const std::vector<Offset>& nearby, int classes) {
  std::vector<Matches> matches(classes);
  for (int y = 0; y < grid.height; ++y) {
    for (int x = 0; x < grid.width; ++x) {
      const uint16_t label = from[static_cast<size_t>(y) * grid.width + x];
      if (label >= classes) continue;
      ++matches[label].pixels;
      matches[label].met += std::ranges::any_of(nearby, [&](Offset o) {
        const int u = x + o.dx, v = y + o.dy;
        return u >= 0 && u < grid.width && v >= 0 && v < grid.height &&
               to[static_cast<size_t>(v) * grid.width + u] == label;
      });
    }
  }
  return matches;
}

double share(const Matches& matches) {
  return matches.pixels == 0 ? 0 : matches.met / matches.pixels;
}

}  // namespace

BoundaryScore::BoundaryScore(int classes) : classes_(classes), sums_(2 * classes) {}

void BoundaryScore::add(std::span<const uint16_t> truth, std::span<const uint16_t> prediction,
                        int width) {
  TAGCLIP_CHECK(truth.size() == prediction.size(), "truth and prediction differ in size");
  const Grid grid{width, static_cast<int>(truth.size() / width)};
  std::vector<uint16_t> expected(truth.begin(), truth.end());
  std::vector<uint16_t> found(prediction.begin(), prediction.end());
  const auto unscored = static_cast<uint16_t>(classes_);
  for (size_t i = 0; i < expected.size(); ++i) {
    found[i] = expected[i] >= classes_ ? kVoid : std::min(found[i], unscored);
    if (expected[i] >= classes_) expected[i] = kVoid;
  }
  const std::vector<uint16_t> true_border = borders(expected, grid);
  const std::vector<uint16_t> found_border = borders(found, grid);
  const double radius = std::max(1.0, kTolerance * std::hypot(grid.width, grid.height));
  const std::vector<Offset> nearby = offsets_within(radius);
  const auto recalled = match(true_border, found_border, grid, nearby, classes_);
  const auto precise = match(found_border, true_border, grid, nearby, classes_);
  for (int c = 0; c < classes_; ++c) {
    if (recalled[c].pixels + precise[c].pixels == 0) continue;
    const double precision = share(precise[c]), recall = share(recalled[c]);
    if (precision + recall > 0) sums_[c] += 2 * precision * recall / (precision + recall);
    ++sums_[classes_ + c];
  }
}

std::vector<double> BoundaryScore::per_class() const {
  std::vector<double> scores;
  for (int c = 0; c < classes_; ++c) {
    const double images = sums_[classes_ + c];
    scores.push_back(images > 0 ? sums_[c] / images : std::numeric_limits<double>::quiet_NaN());
  }
  return scores;
}

double BoundaryScore::mean() const { return known_mean(per_class()); }

}  // namespace tagclip
