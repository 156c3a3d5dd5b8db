#include "data_check/parallel_for.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace tagclip {
namespace {

TEST(ParallelFor, VisitsEachOnce) {
  std::vector<std::atomic<int>> visits(1000);
  size_t last = 0;
  parallel_for(
      visits.size(), [&](size_t i) { ++visits[i]; },
      [&](size_t done) {
        EXPECT_GE(done, last);
        last = done;
        return true;
      });
  for (const auto& count : visits) EXPECT_EQ(count, 1);
  EXPECT_EQ(last, visits.size());
  parallel_for(0, [](size_t) { FAIL(); }, [](size_t) { return true; });
}

TEST(ParallelFor, HandsOnWhatWorkThrows) {
  const auto work = [](size_t i) {
    if (i == 7) throw std::out_of_range("seven");
  };
  EXPECT_THROW(parallel_for(100, work, [](size_t) { return true; }), std::out_of_range);
}

TEST(ParallelFor, StopsWhenAsked) {
  std::atomic<bool> stopped = false;
  const auto work = [&](size_t) {
    while (!stopped) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  std::atomic<size_t> begun = 0;
  parallel_for(
      1000000,
      [&](size_t i) {
        ++begun;
        work(i);
      },
      [&](size_t) {
        stopped = true;
        return false;
      });
  EXPECT_LT(begun, 1000000u);
}

}  // namespace
}  // namespace tagclip
