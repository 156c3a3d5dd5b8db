#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "text/clean.h"

namespace tagclip {
namespace {

nlohmann::json read_json(const std::string& name) {
  return nlohmann::json::parse(std::ifstream(TAGCLIP_SOURCE_DIR "/tests/data/text/" + name));
}

TEST(Tokenizer, GivesTheIdsOfOpenAi) {
  const Tokenizer tokenizer;
  const auto cases = read_json("tokenizer.json");
  ASSERT_EQ(cases.size(), 32);
  for (const auto& c : cases) {
    const std::string text = c.at("text");
    EXPECT_EQ(tokenizer.encode(text), c.at("ids").get<std::vector<int32_t>>()) << text;
  }
}

TEST(Tokenizer, GivesTheIdsOfOpenAiForEveryKindOfText) {
  const Tokenizer tokenizer;
  const auto cases = read_json("tokenizer_full.json").at("cases");
  ASSERT_EQ(cases.size(), 322);
  for (const auto& c : cases) {
    const std::string text = c.at("text");
    EXPECT_EQ(clean_text(text), c.at("clean").get<std::string>()) << c.at("group");
    EXPECT_EQ(tokenizer.encode(text), c.at("ids").get<std::vector<int32_t>>()) << text;
    const TokenizedText padded = tokenizer.tokenize(text);
    EXPECT_EQ(padded.ids, c.at("padded").get<std::vector<int32_t>>()) << text;
    EXPECT_EQ(padded.truncated, c.value("truncated", false)) << text;
  }
}

}  // namespace
}  // namespace tagclip
