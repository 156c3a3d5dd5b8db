#include "outputs/contours.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "label_formats/raster.h"

namespace tagclip {
namespace {

// Noise of all densities, from lonely pixels to lonely holes.
RegionMask noise(int width, int height, double density, uint32_t seed) {
  std::mt19937 random(seed);
  RegionMask mask{3, 2, width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    mask.inside.push_back(std::uniform_real_distribution(0.0, 1.0)(random) < density ? 1 : 0);
  }
  return mask;
}

RegionMask mask_of_rows(const std::vector<std::string>& rows) {
  RegionMask mask{0, 0, static_cast<int>(rows[0].size()), static_cast<int>(rows.size()), {}};
  for (const std::string& row : rows) {
    for (const char c : row) mask.inside.push_back(c == '#' ? 1 : 0);
  }
  return mask;
}

std::vector<uint16_t> pixels_of(const RegionMask& mask, int width, int height) {
  std::vector<uint16_t> pixels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) pixels.push_back(mask.contains(x, y) ? 1 : 0);
  }
  return pixels;
}

Polygon polygon_of(const Outline& outline) {
  Polygon polygon;
  for (const auto& [x, y] : outline) polygon.push_back({double(x), double(y)});
  return polygon;
}

std::vector<RegionMask> masks() {
  std::vector<RegionMask> masks = {
      mask_of_rows({"#"}),
      mask_of_rows({"####"}),
      mask_of_rows({"#", "#", "#"}),
      mask_of_rows({"##", "##"}),
      mask_of_rows({"#####", "#...#", "#.#.#", "#...#", "#####"}),
      mask_of_rows({"#.#", ".#.", "#.#"}),
      mask_of_rows({"####", "#.##", "##.#", "####"}),
      mask_of_rows({"######", "#.#..#", "######", "#..#.#", "######"})};
  uint32_t seed = 0;
  for (const double density : {0.1, 0.3, 0.5, 0.6, 0.7, 0.9, 0.97}) {
    for (const int side : {5, 17, 40}) masks.push_back(noise(side, side + 3, density, ++seed));
  }
  return masks;
}

TEST(Contours, OnEdgesGiveCocosMaskBack) {
  for (const RegionMask& mask : masks()) {
    LabelMap map{50, 50, std::vector<uint16_t>(2500)};
    for (const Outline& outline : trace_outlines(mask, OutlineOf::kEdges)) {
      EXPECT_GE(outline.size(), 4U);
      fill_coco_polygon(map, polygon_of(outline), 1);
    }
    EXPECT_EQ(map.labels, pixels_of(mask, 50, 50));
  }
}

TEST(Contours, ThroughCentresGivePillowsMaskBack) {
  for (const RegionMask& mask : masks()) {
    LabelMap map{50, 50, std::vector<uint16_t>(2500)};
    for (const Outline& outline : trace_outlines(mask, OutlineOf::kCentres)) {
      EXPECT_GE(outline.size(), 3U);
      fill_polygon(map, polygon_of(outline), 1);
    }
    EXPECT_EQ(map.labels, pixels_of(mask, 50, 50));
  }
}

TEST(Contours, PolygonsAreSimpleAndTheirAreasAddUp) {
  for (const RegionMask& mask : masks()) {
    double area = 0;
    for (const RegionPolygon& polygon : trace_polygons(mask)) {
      std::vector<Outline> rings = polygon.holes;
      rings.push_back(polygon.outer);
      for (Outline& ring : rings) {
        std::ranges::sort(ring);
        EXPECT_EQ(std::ranges::adjacent_find(ring), ring.end()) << "a corner is passed once";
      }
      area += polygon_area(polygon_of(polygon.outer));
      for (const Outline& hole : polygon.holes) area -= polygon_area(polygon_of(hole));
    }
    EXPECT_EQ(area, std::ranges::count(mask.inside, 1));
  }
}

TEST(Contours, OuterBordersRunClockwise) {
  const auto polygons = trace_polygons(mask_of_rows({"###", "#.#", "###"}));
  ASSERT_EQ(polygons.size(), 1U);
  EXPECT_EQ(polygons[0].outer, (Outline{{0, 0}, {3, 0}, {3, 3}, {0, 3}}));
  ASSERT_EQ(polygons[0].holes.size(), 1U);
  EXPECT_THAT(polygons[0].holes[0],
              testing::UnorderedElementsAre(Point{1, 1}, Point{1, 2}, Point{2, 2}, Point{2, 1}));
}

TEST(Contours, SimplifiedOutlinesStayNear) {
  // A circle of radius 40, and points on it that are at most as far away as allowed.
  RegionMask disc{0, 0, 81, 81, {}};
  for (int i = 0; i < 81 * 81; ++i) {
    disc.inside.push_back(std::hypot(i % 81 - 40, i / 81 - 40) <= 40 ? 1 : 0);
  }
  const Outline whole = trace_outlines(disc, OutlineOf::kEdges).front();
  EXPECT_EQ(simplified(whole, 0), whole);
  for (const double tolerance : {1.0, 3.0}) {
    const Outline fewer = simplified(whole, tolerance);
    EXPECT_LT(fewer.size(), whole.size() / 4);
    for (const auto& [x, y] : whole) {
      double nearest = 1e9;
      for (size_t i = 0; i < fewer.size(); ++i) {
        const auto [ax, ay] = fewer[i];
        const auto [bx, by] = fewer[(i + 1) % fewer.size()];
        const double dx = bx - ax, dy = by - ay;
        const double t =
            std::clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0.0, 1.0);
        nearest = std::min(nearest, std::hypot(x - ax - t * dx, y - ay - t * dy));
      }
      EXPECT_LE(nearest, tolerance + 1e-9);
    }
  }
}

}  // namespace
}  // namespace tagclip
