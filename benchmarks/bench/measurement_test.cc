#include "bench/measurement.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/error.h"

namespace tagclip::bench {
namespace {

TEST(Spread, OfOddAndEvenNumbers) {
  const Spread odd = spread_of({3, 1, 10});
  EXPECT_EQ(odd.min, 1);
  EXPECT_EQ(odd.median, 3);
  EXPECT_EQ(odd.max, 10);
  EXPECT_EQ(spread_of({4, 1, 2, 10}).median, 3);
  EXPECT_EQ(spread_of({7}).median, 7);
  EXPECT_THROW(spread_of({}), InternalError);
}

TEST(AbRuns, AreComparedPairByPair) {
  const AbRuns runs{.ours = {1, 2, 4}, .reference = {3, 4, 4}};
  EXPECT_EQ(runs.speedup().min, 1);
  EXPECT_EQ(runs.speedup().median, 2);
  EXPECT_EQ(runs.speedup().max, 3);
  EXPECT_EQ(runs.added_seconds().min, -2);
  EXPECT_EQ(runs.added_seconds().median, -2);
  EXPECT_EQ(runs.added_seconds().max, 0);
}

TEST(Interleave, RunsBothWaysInTurn) {
  std::string order;
  const AbRuns runs = interleave([&] { order += 'o'; }, [&] { order += 'r'; }, 3,
                                 [&](int64_t done) {
                                   order += std::to_string(done);
                                   return true;
                                 });
  EXPECT_EQ(order, "or1or2or3");
  EXPECT_EQ(runs.ours.size(), 3U);
  EXPECT_EQ(runs.reference.size(), 3U);
}

TEST(Interleave, EndsWhenTheUserStops) {
  const AbRuns runs = interleave([] {}, [] {}, 100, [](int64_t done) { return done < 2; });
  EXPECT_EQ(runs.ours.size(), 2U);
}

TEST(Measurement, IsNamedByItsPrecisionWhereThatIsNotTheUsual) {
  Measurement m{.workload = "VOC", .task = "segment"};
  EXPECT_EQ(m.name(), "VOC segment");
  m.precision = "bfloat16";
  EXPECT_EQ(m.name(), "VOC segment bfloat16");
}

TEST(Measurement, ComparesMemoryWhereBothPeaksAreKnown) {
  Measurement m{.our_peak = 3, .reference_peak = 12};
  EXPECT_EQ(m.memory_ratio(), 4);
  m.our_peak = 0;
  EXPECT_FALSE(m.memory_ratio());
  m.our_peak.reset();
  EXPECT_FALSE(m.memory_ratio());
}

TEST(Measurement, WhatIsNoNumberDoesNotAgree) {
  Measurement m;
  m.differences = {{"loss", 0.5, 1}};
  EXPECT_TRUE(m.agrees());
  m.differences.push_back({"gradients", std::nan(""), 1});
  EXPECT_FALSE(m.agrees());
}

}  // namespace
}  // namespace tagclip::bench
