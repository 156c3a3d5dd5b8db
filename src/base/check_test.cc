#include "base/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tagclip {
namespace {

TEST(CheckEqual, PrintsBothValues) {
  const std::vector<int> labels(7);
  TAGCLIP_CHECK_EQ(labels.size(), 7, "labels fill the map");
  try {
    TAGCLIP_CHECK_EQ(labels.size(), 2 * 4, "labels fill the map");
    ADD_FAILURE() << "no error was thrown";
  } catch (const InternalError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("labels fill the map: 7 and 8"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("(labels.size() == 2 * 4 does not hold)"));
  }
}

}  // namespace
}  // namespace tagclip
