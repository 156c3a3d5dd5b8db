#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.h"
#include "support/places.h"
#include "text/byte_pairs.h"
#include "text/pre_tokenizer.h"

namespace tagclip {
namespace {

using Ids = std::vector<int32_t>;

nlohmann::json read_json(const std::string& name) {
  return nlohmann::json::parse(std::ifstream(source_folder() / "tests/data/text" / name));
}

TEST(Tokenizer, GivesTheIdsOfOpenAi) {
  const Tokenizer tokenizer;
  const auto cases = read_json("tokenizer.json");
  ASSERT_EQ(cases.size(), 32);
  for (const auto& c : cases) {
    const std::string text = c.at("text");
    EXPECT_EQ(tokenizer.encode(text), c.at("ids").get<Ids>()) << text;
  }
}

TEST(Tokenizer, GivesTheIdsOfOpenAiForEveryKindOfText) {
  const Tokenizer tokenizer;
  const auto cases = read_json("tokenizer_full.json").at("cases");
  ASSERT_EQ(cases.size(), 322);
  for (const auto& c : cases) {
    const std::string text = c.at("text");
    EXPECT_EQ(clean_text(text), c.at("clean").get<std::string>()) << c.at("group");
    EXPECT_EQ(tokenizer.encode(text), c.at("ids").get<Ids>()) << text;
    const TokenizedText padded = tokenizer.tokenize(text);
    EXPECT_EQ(padded.ids, c.at("padded").get<Ids>()) << text;
    EXPECT_EQ(padded.truncated, c.value("truncated", false)) << text;
  }
}

// The cases come from scripts/make_tokenizer_cases.py.
TEST(Tokenizer, AgreesWithPythonOnNamesOfAllLanguagesAndOnDamagedText) {
  const Tokenizer tokenizer;
  const auto cases = read_json("tokenizer_generated.json");
  ASSERT_EQ(cases.size(), 480);
  for (const auto& c : cases) {
    const std::string text = c.at("text");
    EXPECT_EQ(clean_text(text), c.at("clean").get<std::string>())
        << c.at("group") << ' ' << c.at("text");
    EXPECT_EQ(tokenizer.encode(text), c.at("ids").get<Ids>())
        << c.at("group") << ' ' << c.at("text");
  }
}

TEST(Tokenizer, KeepsTheEndTokenWhenItCuts) {
  const Tokenizer tokenizer;
  const TokenizedText fits = tokenizer.tokenize("cat dog", 4);
  EXPECT_EQ(fits.ids, (Ids{49406, 2368, 1929, 49407}));
  EXPECT_FALSE(fits.truncated);
  const TokenizedText cut = tokenizer.tokenize("cat dog cat", 4);
  EXPECT_EQ(cut.ids, (Ids{49406, 2368, 1929, 49407}));
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(tokenizer.tokenize("cat", 2).ids, (Ids{49406, 49407}));
  EXPECT_EQ(tokenizer.tokenize("", 5).ids, (Ids{49406, 49407, 0, 0, 0}));
}

TEST(Tokenizer, UsesTheFirstMergesOfASmallerVocabulary) {
  const Tokenizer full;
  const Tokenizer small(Merges::kByteTokens + 8000 + 2);
  EXPECT_EQ(small.start_token(), 8512);
  EXPECT_EQ(small.end_token(), 8513);
  // Token 2368 (cat) is of an early merge, the end of "giraffe" is not.
  EXPECT_EQ(small.encode("cat"), full.encode("cat"));
  const Ids giraffe = small.encode("giraffe");
  EXPECT_GT(giraffe.size(), full.encode("giraffe").size());
  for (int32_t id : giraffe) EXPECT_LT(id, small.start_token());
  EXPECT_EQ(small.encode("<|startoftext|>cat<|endoftext|>"), (Ids{8512, 2368, 8513}));
}

TEST(Tokenizer, SpellsBytesWithoutAnyMerge) {
  const Tokenizer bytes(514);
  EXPECT_EQ(bytes.encode("cat"), (Ids{66, 64, 83 + 256}));  // "a" is token 64
  EXPECT_EQ(bytes.end_token(), 513);
}

TEST(Tokenizer, ACutVocabularySpellsWhatItCan) {
  const Tokenizer cut(512);
  EXPECT_EQ(cut.encode("cat"), (Ids{66, 64, 83 + 256}));
  EXPECT_EQ(cut.end_token(), 511);
  const Tokenizer less(339);
  EXPECT_EQ(less.encode("ad")[0], 64);
  EXPECT_THROW(less.encode("cat"), Error);
}

TEST(Tokenizer, RefusesAVocabularyThatClipCannotHave) {
  for (int vocabulary : {-1, 0, 257, 49409})
    EXPECT_THROW(Tokenizer{vocabulary}, Error) << vocabulary;
}

TEST(Tokenizer, RefusesInvalidUtf8) { EXPECT_THROW(Tokenizer().encode("caf\xE9"), Error); }

TEST(Tokenizer, WorksFromSeveralThreads) {
  const std::vector<std::string> texts = {"a photo of a cat", "schÃ¶n 猫", "caf&eacute;",
                                          "ＡＢＣ ŉ"};
  const auto encode_all = [&] {
    const Tokenizer tokenizer;
    std::vector<Ids> ids;
    for (const std::string& text : texts) ids.push_back(tokenizer.encode(text));
    return ids;
  };
  std::vector<std::vector<Ids>> results(8);
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back([&] { result = encode_all(); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, encode_all());
}

}  // namespace
}  // namespace tagclip
