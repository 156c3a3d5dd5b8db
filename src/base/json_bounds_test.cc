#include "base/json_bounds.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

TEST(JsonBounds, LeavesMembersOutAndCountsTheRest) {
  const std::string text = R"({"a": [1, 2], "big": [[1, {"a": 3}], 4], "b": {"big": 5, "c": 6}})";
  const JsonBounds bounds{.values = 6, .left_out = {"big"}};
  EXPECT_EQ(parse_json_within(bounds, text)->dump(), R"({"a":[1,2],"b":{"c":6}})");
  EXPECT_FALSE(parse_json_within({.values = 5, .left_out = {"big"}}, text));
  EXPECT_FALSE(parse_json_within({.values = 6}, text));
  EXPECT_FALSE(parse_json_within({.bytes = text.size() - 1}, text));
}

TEST(JsonBounds, ReadsWhatIsLeftOutToo) {
  const JsonBounds bounds{.left_out = {"big"}};
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  EXPECT_FALSE(parse_json_within(bounds, R"({"big": )" + deep + "}")) << "still too deep";
  EXPECT_FALSE(parse_json_within(bounds, R"({"big": [}})")) << "still JSON";
  EXPECT_EQ(parse_json_within(bounds, R"({"big": 1})")->dump(), "{}");
}

}  // namespace
}  // namespace tagclip
