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

TEST(BoundedJson, SaysWhereTheFaultLies) {
  EXPECT_EQ(json_fault("{\n \"a\": 1,\n \"eps\": NaN\n}"),
            "line 3, column 9: NaN is not a number in JSON");
  EXPECT_EQ(json_fault("[-Infinity]"), "line 1, column 2: -Infinity is not a number in JSON");
  EXPECT_EQ(json_fault("[1e999]"), "line 1, column 2: \"1e999\" is too large or no number");
  EXPECT_EQ(json_fault("{\"a\": 1,\n}"), "line 2, column 1: not JSON");
  EXPECT_EQ(json_fault("{"), "line 1, column 2: not JSON");
  EXPECT_EQ(json_fault(""), "line 1, column 1: not JSON");
  EXPECT_EQ(json_fault(nested(34)), "nested deeper than 32");
}

TEST(JsonText, NamesThatAreNotUtf8StayDifferent) {
  EXPECT_EQ(json_text({{"caf\xE9", {"caf\xEA", "caf\u00e9", "a\\b", "\\\xE9"}}}),
            R"({"caf\\xE9":["caf\\xEA","café","a\\b","\\x5C\\xE9"]})");
  EXPECT_EQ(json_text({{"a", {1, nullptr, "x"}}}, 1),
            "{\n \"a\": [\n  1,\n  null,\n  \"x\"\n ]\n}");
}

}  // namespace
}  // namespace tagclip
