#include "clip/recent_embeddings.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

const std::vector<float> kRows = {1, 2, 3, 4};

TEST(RecentEmbeddings, KeepsByTowerTemplatesAndWord) {
  RecentEmbeddings cache(1000);
  cache.keep("tower", "a {}", {"cat", "dog"}, kRows.data(), 2);
  cache.keep("tower", "a {}", {"cat"}, kRows.data() + 2, 2);  // replaces
  const auto found = cache.find("tower", "a {}", {"dog", "cat", "cow"}, 2);
  EXPECT_EQ(found[0], (std::vector<float>{3, 4}));
  EXPECT_EQ(found[1], (std::vector<float>{3, 4}));
  EXPECT_FALSE(found[2]);
  EXPECT_FALSE(cache.find("other", "a {}", {"cat"}, 2)[0]);
  EXPECT_FALSE(cache.find("tower", "the {}", {"cat"}, 2)[0]);
  EXPECT_FALSE(cache.find("tower", "a {}", {"cat"}, 3)[0]);
}

TEST(RecentEmbeddings, WhatWasNotAskedForGoesFirst) {
  const size_t one = 2 * (sizeof(size_t) + 3) + 2 * sizeof(float);
  RecentEmbeddings cache(2 * one);
  cache.keep("t", "{}", {"cat", "dog"}, kRows.data(), 2);
  EXPECT_EQ(cache.bytes(), 2 * one);
  cache.find("t", "{}", {"cat"}, 2);
  cache.keep("t", "{}", {"cow"}, kRows.data(), 2);
  EXPECT_EQ(cache.bytes(), 2 * one);
  const auto found = cache.find("t", "{}", {"cat", "dog", "cow"}, 2);
  EXPECT_TRUE(found[0]);
  EXPECT_FALSE(found[1]);
  EXPECT_TRUE(found[2]);
}

TEST(RecentEmbeddings, WhatDoesNotFitAtAllIsNotKept) {
  RecentEmbeddings cache(10);
  cache.keep("t", "{}", {"cat"}, kRows.data(), 2);
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_FALSE(cache.find("t", "{}", {"cat"}, 2)[0]);
}

}  // namespace
}  // namespace tagclip
