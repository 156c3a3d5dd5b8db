#include "image/palette.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace tagclip {
namespace {

TEST(VocPalette, FirstColoursAndNoneTwice) {
  const auto palette = voc_palette(2000);
  EXPECT_EQ(palette[0], (Colour{0, 0, 0}));         // background
  EXPECT_EQ(palette[1], (Colour{128, 0, 0}));       // aeroplane
  EXPECT_EQ(palette[7], (Colour{128, 128, 128}));   // car
  EXPECT_EQ(palette[15], (Colour{192, 128, 128}));  // person
  EXPECT_EQ(std::set<Colour>(palette.begin(), palette.end()).size(), palette.size());
}

TEST(ResultPalette, ColoursDiffer) {
  const std::vector<Colour> palette = result_palette(255);
  EXPECT_EQ(std::set<Colour>(palette.begin(), palette.end()).size(), 255U);
  for (size_t i = 0; i + 1 < 20; ++i) {
    int distance = 0;
    for (int c = 0; c < 3; ++c) distance += std::abs(palette[i][c] - palette[i + 1][c]);
    EXPECT_GT(distance, 100) << i;
  }
}

}  // namespace
}  // namespace tagclip
