#include "draw/overlay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "draw/canvas.h"
#include "draw/font.h"
#include "draw/photo_grid.h"
#include "image/palette.h"

namespace tagclip {
namespace {

Image grey(int width, int height) {
  return {width, height, std::vector<uint8_t>(static_cast<size_t>(width) * height * 3, 128)};
}

Colour pixel(const Image& image, int x, int y) {
  const uint8_t* at = &image.pixels[(static_cast<size_t>(y) * image.width + x) * 3];
  return {at[0], at[1], at[2]};
}

// The left half is class 0, the right half class 1.
LabelMap halves(int width, int height) {
  LabelMap map{width, height, std::vector<uint16_t>(static_cast<size_t>(width) * height)};
  for (size_t i = 0; i < map.size(); ++i) map.labels[i] = static_cast<int>(i % width) >= width / 2;
  return map;
}

const std::vector<Colour> kRedBlue = {{255, 0, 0}, {0, 0, 255}};
const std::vector<LegendEntry> kLegend = {{{255, 0, 0}, "left", "50.0%"},
                                          {{0, 0, 255}, "right", "50.0%"}};

TEST(Overlay, TintsClassesAndMarksTheirBorder) {
  const Image overlay = draw_overlay(grey(600, 400), halves(600, 400), kRedBlue, kLegend);
  ASSERT_EQ(overlay.width, 600);
  const Colour left = pixel(overlay, 100, 100), right = pixel(overlay, 500, 100);
  EXPECT_GT(left[0], 170);
  EXPECT_LT(left[2], 90);
  EXPECT_EQ(right, (Colour{left[2], left[1], left[0]}));
  EXPECT_GT(pixel(overlay, 299, 100)[0], left[0] + 40);
  EXPECT_GT(pixel(overlay, 300, 100)[2], right[2] + 40);
}

TEST(Overlay, UnlabelledPixelsAreGrey) {
  Image photo = grey(500, 500);
  for (size_t i = 0; i < photo.pixels.size(); i += 3) photo.pixels[i] = 255;
  LabelMap map{500, 500, std::vector<uint16_t>(250000, kIgnoreIndex)};
  const Colour found = pixel(draw_overlay(photo, map, kRedBlue, kLegend), 10, 10);
  EXPECT_EQ(found[0], found[1]);
  EXPECT_EQ(found[1], found[2]);
}

TEST(Overlay, SizesStayWithinReason) {
  const auto overlay_of = [](int width, int height) {
    return draw_overlay(grey(width, height), halves(width, height), kRedBlue, kLegend);
  };
  EXPECT_EQ(overlay_of(4096, 1024).width, 2048);
  EXPECT_EQ(overlay_of(40, 30).width, 400);
  const Image point = overlay_of(1, 1);
  EXPECT_EQ(point.width, 400);
  const Image column = overlay_of(3, 6000);
  EXPECT_EQ(column.width, 400);
  EXPECT_LT(column.height, 2048 + 200);
}

TEST(Legend, ShowsEveryColourUntilTheRowsAreFull) {
  std::vector<LegendEntry> entries;
  const std::vector<Colour> palette = result_palette(40);
  for (const Colour& colour : palette) entries.push_back({colour, "class name", "1.0%"});
  const auto shown = [&](int max_rows) {
    const Image strip = draw_legend(entries, 640, max_rows);
    std::set<Colour> colours;
    for (int y = 0; y < strip.height; ++y) {
      for (int x = 0; x < strip.width; ++x) colours.insert(pixel(strip, x, y));
    }
    return std::ranges::count_if(palette,
                                 [&](const Colour& colour) { return colours.contains(colour); });
  };
  EXPECT_EQ(shown(100), 40);
  EXPECT_GT(shown(3), 3);
  EXPECT_LT(shown(3), 20);
}

TEST(Legend, LongNamesStayInTheirColumn) {
  const std::vector<LegendEntry> entries = {{{255, 0, 0}, std::string(900, 'W'), "1.0%"}};
  const Image strip = draw_legend(entries, 400, 4);
  EXPECT_EQ(strip.width, 400);
  for (int y = 0; y < strip.height; ++y) EXPECT_EQ(pixel(strip, 399, y), pixel(strip, 399, 0));
}

TEST(Font, MeasuresWhatItDraws) {
  const Font font(20);
  Image page{300, 40, std::vector<uint8_t>(300 * 40 * 3, 255)};
  const std::string text = "Ärger, собака";
  font.draw(page, 10, 28, text, {0, 0, 0});
  int last = 0;
  for (int x = 0; x < page.width; ++x) {
    for (int y = 0; y < page.height; ++y) {
      if (pixel(page, x, y)[0] < 128) last = x;
    }
  }
  EXPECT_NEAR(last, 10 + font.width(text), 3);
}

TEST(Font, ElidedTextsFit) {
  const Font font(16);
  EXPECT_EQ(font.elided("cat", font.width("cat")), "cat");
  const std::string shorter = font.elided("a long name of a class", 80);
  EXPECT_TRUE(shorter.starts_with("a lo")) << shorter;
  EXPECT_TRUE(shorter.ends_with("…")) << shorter;
  EXPECT_LE(font.width(shorter), 80);
  EXPECT_EQ(font.elided("cat", 2), "");
}

TEST(PhotoGrid, CellsStandSideBySide) {
  const LabelMap cats{8, 4, std::vector<uint16_t>(32, 0)},
      none{8, 4, std::vector<uint16_t>(32, kIgnoreIndex)};
  const GridRow row{solid_image(8, 4, {100, 100, 100}), {cats, none}};
  const Image grid = draw_photo_grid({row, row}, {"cat", "cow"}, {true, false});
  EXPECT_EQ(grid.width, 3 * 320 + 2 * 4);
  EXPECT_GT(grid.height, 2 * 160);
  EXPECT_EQ(pixel(grid, 100, 80), (Colour{100, 100, 100}));
  EXPECT_NE(pixel(grid, 424, 80), pixel(grid, 100, 80));
  EXPECT_EQ(pixel(grid, 748, 80), (Colour{66, 66, 66}));  // unlabelled
  EXPECT_EQ(pixel(grid, 424, 80), pixel(grid, 424, 244));
}

}  // namespace
}  // namespace tagclip
