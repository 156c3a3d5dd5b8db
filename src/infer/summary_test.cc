#include "infer/summary.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "infer/test_result.h"

namespace tagclip {
namespace {

TEST(Summary, NamesClassesAndCountsTheTinyOnes) {
  EXPECT_EQ(describe(example_result(), example_words()),
            "cat 90.0%, sky 9.9% (new), unlabelled 0.1%");
  SegmentedPhoto result = example_result();
  result.found = {{0, 0.9992, 0.5}, {1, 0.0005, 0.5}, {2, 0.0003, 0.5}};
  result.unlabelled = 0;
  EXPECT_EQ(describe(result, example_words()), "cat 99.9%, 2 more below 0.1%");
}

TEST(Summary, JsonExplainsTheLabelFile) {
  const auto json = nlohmann::json::parse(
      to_json(example_result(), example_words(), "ca\xff.jpg", "m.safetensors"));
  EXPECT_EQ(json["width"], 100);
  EXPECT_EQ(json["height"], 10);
  EXPECT_EQ(json["weights"], "m.safetensors");
  EXPECT_EQ(json["prompt_templates"], nlohmann::json::array({"a {}"}));
  EXPECT_EQ(json["unlabelled"], (nlohmann::json{{"value", 255}, {"share", 0.001}}));
  ASSERT_EQ(json["classes"].size(), 2U);
  const auto& cat = json["classes"][0];
  EXPECT_EQ(cat["index"], 0);
  EXPECT_EQ(cat["name"], "cat");
  EXPECT_EQ(cat["synonyms"], nlohmann::json::array({"kitten"}));
  EXPECT_EQ(cat["seen"], true);
  EXPECT_EQ(cat["share"], 0.9);
  EXPECT_EQ(cat["mean_score"], 0.5);
  EXPECT_EQ(cat["colour"].size(), 3U);
  EXPECT_EQ(json["classes"][1]["seen"], false);
}

}  // namespace
}  // namespace tagclip
