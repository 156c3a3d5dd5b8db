#include "text/byte_pairs.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace tagclip {
namespace {

using Ids = std::vector<int32_t>;

// Merges by the definition: all neighbours of lowest rank from left to right, then the next.
Ids plain_byte_pairs(const Merges& merges, std::string_view word, int32_t limit) {
  Ids ids;
  for (size_t i = 0; i < word.size(); ++i) {
    ids.push_back(merges.byte_token(static_cast<uint8_t>(word[i]), i + 1 == word.size()));
  }
  for (;;) {
    int32_t best = limit;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      best = std::min(best, merges.merge(ids[i], ids[i + 1]).value_or(limit));
    }
    if (best == limit) return ids;
    Ids merged;
    for (size_t i = 0; i < ids.size(); ++i) {
      const bool joins = i + 1 < ids.size() && merges.merge(ids[i], ids[i + 1]) == best;
      merged.push_back(joins ? best : ids[i]);
      i += joins;
    }
    ids = merged;
  }
}

Ids byte_pairs(std::string_view word, int32_t limit) {
  Ids ids;
  append_byte_pairs(Merges::clip(), word, limit, ids);
  return ids;
}

TEST(BytePairs, EqualTheDefinitionOnRandomWords) {
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    const std::string_view alphabet = i % 2 ? "aeinorst" : "ab\xC3\xA9\x00\xFF!1";
    std::string word(1 + random() % 40, '\0');
    for (char& c : word) c = alphabet[random() % 8];
    for (int32_t limit : {512, 8512, 49406}) {
      ASSERT_EQ(byte_pairs(word, limit), plain_byte_pairs(Merges::clip(), word, limit)) << word;
    }
  }
}

TEST(BytePairs, MergeRunsFromTheLeft) {
  for (int length = 1; length < 70; ++length) {
    const std::string word(length, 'a');
    EXPECT_EQ(byte_pairs(word, 49406), plain_byte_pairs(Merges::clip(), word, 49406)) << length;
  }
}

TEST(BytePairs, TakeAMegabyteInOneWord) {
  const Ids ids = byte_pairs(std::string(1 << 20, 'x'), 49406);
  EXPECT_GT(ids.size(), 1000);
  EXPECT_LT(ids.size(), 1 << 20);
}

}  // namespace
}  // namespace tagclip
