#include "serve/segment/coco_rle.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

// The texts are pycocotools.mask.encode's of the same masks.
TEST(CocoRle, IsThatOfPycocotools) {
  // 0 0 1
  // 0 1 1
  const std::vector<uint16_t> labels = {0, 0, 1, 0, 1, 1};
  EXPECT_EQ(coco_rle(labels, 3, 2, 3), (std::vector<std::string>{"033", "33", ""}));
}

TEST(CocoRle, OfAWholePhotoAndOfNone) {
  const std::vector<uint16_t> labels(100 * 50, 1);
  EXPECT_EQ(coco_rle(labels, 100, 50, 2), (std::vector<std::string>{"", "0Xl4"}));
  const std::vector<uint16_t> none(4, 0xFFFF);
  EXPECT_EQ(coco_rle(none, 2, 2, 1), (std::vector<std::string>{""}));
}

}  // namespace
}  // namespace tagclip
