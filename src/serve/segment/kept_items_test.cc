#include "serve/segment/kept_items.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

using namespace std::chrono_literals;

TEST(KeptItems, WhatWasUsedLeastRecentlyGoesFirst) {
  KeptItems<int> items(10, 60s);
  EXPECT_TRUE(items.keep("a", 1, 4));
  EXPECT_TRUE(items.keep("b", 2, 4));
  EXPECT_EQ(items.find("a"), 1);
  EXPECT_TRUE(items.keep("c", 3, 4));
  EXPECT_FALSE(items.find("b"));
  EXPECT_EQ(items.find("a"), 1);
  EXPECT_EQ(items.bytes(), 8U);
  EXPECT_FALSE(items.keep("d", 4, 11));
  EXPECT_EQ(items.count(), 2U);
  EXPECT_TRUE(items.keep("a", 5, 1));  // replaces
  EXPECT_EQ(items.bytes(), 5U);
  EXPECT_TRUE(items.remove("a"));
  EXPECT_FALSE(items.remove("a"));
  EXPECT_EQ(items.bytes(), 4U);
}

TEST(KeptItems, AgeCountsFromTheLastUse) {
  KeptItems<int>::Clock::time_point now{};
  KeptItems<int> items(10, 60s, [&] { return now; });
  items.keep("a", 1, 1);
  items.keep("b", 2, 1);
  now += 50s;
  EXPECT_TRUE(items.find("a"));
  now += 50s;
  items.expire();
  EXPECT_EQ(items.count(), 1U);
  EXPECT_TRUE(items.find("a"));
  EXPECT_FALSE(items.find("b"));
  now += 61s;
  EXPECT_FALSE(items.find("a"));
  EXPECT_EQ(items.bytes(), 0U);
}

}  // namespace
}  // namespace tagclip
