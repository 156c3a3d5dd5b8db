#include "base/text_distance.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("cat", "cat"), 0u);
  EXPECT_EQ(edit_distance("", "cat"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3u);
}

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest("segmnt", {"train", "segment", "eval"}), "segment");
  EXPECT_EQ(nearest("tran", {"train", "segment", "eval"}), "train");
}

TEST(Nearest, SaysNothingWhenNoneIsNear) {
  EXPECT_EQ(nearest("zebra", {"train", "segment", "eval"}), std::nullopt);
  EXPECT_EQ(nearest("train", {}), std::nullopt);
}

}  // namespace
}  // namespace tagclip
