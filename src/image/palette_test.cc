#include "image/palette.h"

#include <gtest/gtest.h>

#include <algorithm>
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

// Any two classes may meet in a photo: of MSRC-21's, cow (3) and road (16) had like colours.
TEST(ResultPalette, AnyTwoOfTheFirstDiffer) {
  const auto farthest_channel = [](const Colour& a, const Colour& b) {
    int farthest = 0;
    for (int c = 0; c < 3; ++c) farthest = std::max(farthest, std::abs(a[c] - b[c]));
    return farthest;
  };
  const std::vector<Colour> palette = result_palette(21);
  for (size_t i = 0; i < palette.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      EXPECT_GT(farthest_channel(palette[i], palette[j]), 40) << i << " and " << j;
    }
  }
  const std::vector<Colour> more = result_palette(100);
  EXPECT_TRUE(std::equal(palette.begin(), palette.end(), more.begin()));
  EXPECT_EQ(result_palette(5000).size(), 5000U);
}

}  // namespace
}  // namespace tagclip
