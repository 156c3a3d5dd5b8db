#include "base/bounded_json.h"

#include <gtest/gtest.h>

#include <string>

namespace tagclip {
namespace {

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(BoundedJson, ReadsWhatIsSmall) {
  EXPECT_EQ(parse_bounded_json(R"({"a": [1, "b"]})")->at("a").at(1), "b");
  EXPECT_EQ(parse_bounded_json("7")->get<int>(), 7);
  EXPECT_TRUE(parse_bounded_json(nested(32)).has_value());
}

TEST(BoundedJson, RefusesTheRest) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("{} x"), nested(34), nested(1 << 20)}) {
    EXPECT_FALSE(parse_bounded_json(text).has_value()) << text.substr(0, 40);
  }
  EXPECT_FALSE(parse_bounded_json('"' + std::string(5 << 20, 'a') + '"').has_value());
}

}  // namespace
}  // namespace tagclip
