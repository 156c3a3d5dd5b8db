#include "infer/photo_encoder.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

using Boxes = std::vector<CropBox>;

TEST(SlidingWindows, LastWindowsLieFlushWithTheBorder) {
  EXPECT_EQ(sliding_windows({150, 100}, 64, 43), (Boxes{{0, 0, 64, 64},
                                                        {43, 0, 64, 64},
                                                        {86, 0, 64, 64},
                                                        {0, 36, 64, 64},
                                                        {43, 36, 64, 64},
                                                        {86, 36, 64, 64}}));
}

TEST(SlidingWindows, AWindowThatFitsExactlyIsOne) {
  EXPECT_EQ(sliding_windows({64, 64}, 64, 43), (Boxes{{0, 0, 64, 64}}));
  EXPECT_EQ(sliding_windows({107, 64}, 64, 43), (Boxes{{0, 0, 64, 64}, {43, 0, 64, 64}}));
  EXPECT_EQ(sliding_windows({108, 64}, 64, 43),
            (Boxes{{0, 0, 64, 64}, {43, 0, 64, 64}, {44, 0, 64, 64}}));
}

TEST(SlidingWindows, ASmallerImageIsOneWindow) {
  EXPECT_EQ(sliding_windows({30, 20}, 64, 43), (Boxes{{0, 0, 30, 20}}));
  EXPECT_EQ(sliding_windows({30, 100}, 64, 64), (Boxes{{0, 0, 30, 64}, {0, 36, 30, 64}}));
  EXPECT_EQ(sliding_windows({1, 1}, 64, 43), (Boxes{{0, 0, 1, 1}}));
}

TEST(SlidingWindows, CoversEveryPixel) {
  for (int width = 1; width < 90; ++width) {
    for (const int stride : {1, 7, 16}) {
      std::vector<int> covered(width);
      for (const CropBox& box : sliding_windows({width, 5}, 16, stride)) {
        for (int x = box.x; x < box.x + box.width; ++x) ++covered.at(x);
      }
      EXPECT_EQ(std::ranges::count(covered, 0), 0) << width << ", stride " << stride;
    }
  }
}

}  // namespace
}  // namespace tagclip
