#include "outputs/run_lengths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tagclip {
namespace {

using ::testing::ElementsAre;

// 0 0 0
// 0 1 1
// 1 0 0
const RegionMask kMask{.left = 0, .top = 1, .width = 3, .height = 2, .inside = {0, 1, 1, 1, 0, 0}};

TEST(RunLengths, OfCocoRunDownTheColumns) {
  EXPECT_THAT(column_runs(kMask, 3, 3), ElementsAre(2, 1, 1, 1, 2, 1, 1));
}

// label_studio_sdk.converter.brush.decode_rle (2.1.2) makes the mask of these bytes.
TEST(RunLengths, OfABrushAreThoseOfLabelStudio) {
  EXPECT_THAT(brush_runs(kMask, 3, 3),
              ElementsAre(0, 0, 0, 36, 57, 44, 253, 60, 2, 151, 255, 56, 0));
}

}  // namespace
}  // namespace tagclip
