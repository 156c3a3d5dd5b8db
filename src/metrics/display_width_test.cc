#include "metrics/display_width.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(display_width(""), 0u);
  EXPECT_EQ(display_width("tree"), 4u);
  EXPECT_EQ(display_width("B\xC3\xA4ume"), 5u);              // ä in one
  EXPECT_EQ(display_width("Ba\xCC\x88ume"), 5u);             // a and two dots
  EXPECT_EQ(display_width("\xE6\xA8\xB9\xE6\x9C\xA8"), 4u);  // two ideographs
  EXPECT_EQ(display_width("\xF0\x9F\x8C\xB3"), 2u);          // an emoji
  EXPECT_EQ(display_width("\xD0\xB4\xD0\xB5\xD1\x80\xD0\xB5\xD0\xB2\xD0\xBE"), 6u);  // Cyrillic
}

TEST(DisplayWidth, BytesThatAreNotUtf8TakeOneColumn) {
  EXPECT_EQ(display_width("a\xFF"
                          "b"),
            3u);
  EXPECT_EQ(display_width("\xC3"), 1u);
  EXPECT_EQ(display_width("\xE6\xA8"), 2u);
  EXPECT_EQ(display_width("\x80\x80"), 2u);
}

}  // namespace
}  // namespace tagclip
