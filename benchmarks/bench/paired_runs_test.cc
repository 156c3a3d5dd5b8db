#include "bench/paired_runs.h"

#include <gmock/gmock.h>

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

TEST(PairedRuns, RatioIsTakenPairByPair) {
  const PairedRuns runs{.ours = {1, 2, 4}, .plain = {3, 4, 4}};
  EXPECT_EQ(runs.ratio().min, 1);
  EXPECT_EQ(runs.ratio().median, 2);
  EXPECT_EQ(runs.ratio().max, 3);
}

TEST(PairedRuns, TakeTurns) {
  std::string order;
  const PairedRuns runs = run_by_turns([&] { order += 'o'; }, [&] { order += 'p'; }, 3,
                                       [&](int64_t done) {
                                         order += std::to_string(done);
                                         return true;
                                       });
  EXPECT_EQ(order, "op1op2op3");
  EXPECT_EQ(runs.ours.size(), 3U);
  EXPECT_EQ(runs.plain.size(), 3U);
}

TEST(PairedRuns, EndWhenTheUserStops) {
  const PairedRuns runs = run_by_turns([] {}, [] {}, 100, [](int64_t done) { return done < 2; });
  EXPECT_EQ(runs.ours.size(), 2U);
}

}  // namespace
}  // namespace tagclip::bench
