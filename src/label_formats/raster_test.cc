#include "label_formats/raster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "support/places.h"

namespace tagclip {
namespace {

LabelMap empty_map(int width, int height) {
  return {width, height, std::vector<uint16_t>(static_cast<size_t>(width) * height)};
}

std::vector<uint16_t> pixels_of(const std::vector<uint32_t>& runs, int width, int height) {
  LabelMap map = empty_map(width, height);
  fill_runs(map, runs, 1);
  return map.labels;
}

size_t differing(const std::vector<uint16_t>& a, const std::vector<uint16_t>& b) {
  size_t count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += a[i] != b[i];
  return count;
}

// tests/data/label_formats/make_fills.py asked pycocotools and Pillow.
TEST(Raster, FillsAsTheToolsDo) {
  const auto cases =
      nlohmann::json::parse(std::ifstream(source_folder() / "tests/data/label_formats/fills.json"));
  ASSERT_GT(cases.size(), 10u);
  for (const auto& entry : cases) {
    SCOPED_TRACE(entry.at("polygon").dump());
    const int width = entry.at("width"), height = entry.at("height");
    Polygon polygon;
    for (const auto& point : entry.at("polygon")) polygon.push_back({point[0], point[1]});

    LabelMap coco = empty_map(width, height);
    fill_coco_polygon(coco, polygon, 1);
    EXPECT_EQ(coco.labels, pixels_of(entry.at("coco"), width, height));
    EXPECT_EQ(pixels_of(unpack_runs(entry.at("packed").get<std::string>()), width, height),
              coco.labels);

    LabelMap pillow = empty_map(width, height);
    fill_polygon(pillow, polygon, 1);
    // At sharp corners Pillow adds or leaves out a pixel: 2 in 10,000.
    EXPECT_LE(differing(pillow.labels, pixels_of(entry.at("pillow"), width, height)), 1u);
  }
}

TEST(Raster, FarPointsAndThinPolygonsAreHarmless) {
  LabelMap map = empty_map(6, 5);
  fill_polygon(map, {{-1e300, -1e300}, {1e300, -1e300}, {1e300, 1e300}, {-1e300, 1e300}}, 3);
  EXPECT_EQ(map.labels, std::vector<uint16_t>(30, 3));
  fill_coco_polygon(map, {{-1e9, -1e9}, {1e9, -1e9}, {1e9, 1e9}, {-1e9, 1e9}}, 4);
  EXPECT_EQ(map.labels, std::vector<uint16_t>(30, 4));
  fill_polygon(map, {{1, 1}, {2, 2}}, 5);
  fill_coco_polygon(map, {{1, 1}, {2, 2}}, 5);
  EXPECT_EQ(map.labels, std::vector<uint16_t>(30, 4));
}

TEST(Raster, RectanglesAndCirclesHoldTheirEdge) {
  LabelMap map = empty_map(7, 7);
  fill_rectangle(map, {4, 5}, {2, 1}, 1);
  EXPECT_EQ(std::ranges::count(map.labels, 1), 15);
  fill_circle(map, {3, 3}, 2, 2);
  EXPECT_EQ(std::ranges::count(map.labels, 2), 21);  // 5 x 5 without its corners
  EXPECT_EQ(map.labels[3 * 7 + 1], 2);
  EXPECT_EQ(map.labels[3 * 7], 0);
}

TEST(Raster, RunsMustFillTheMap) {
  LabelMap map = empty_map(3, 2);
  fill_runs(map, {1, 2, 3}, 9);
  EXPECT_EQ(map.labels, (std::vector<uint16_t>{0, 9, 0, 9, 0, 0}));
  EXPECT_THROW(fill_runs(map, {1, 2}, 9), Error);
  EXPECT_THROW(fill_runs(map, {1, 2, 4}, 9), Error);
  EXPECT_THROW(fill_runs(map, {0xFFFFFFFF, 0xFFFFFFFF}, 9), Error);
}

TEST(Raster, BrokenTextsOfRunsAreErrors) {
  for (const char* text : {"`", "\x01", "oooooooooooo", "~", "O"}) {
    EXPECT_THROW(unpack_runs(text), Error) << text;
  }
}

}  // namespace
}  // namespace tagclip
