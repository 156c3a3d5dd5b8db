#include "ranks/ranks.h"

#include <gtest/gtest.h>

#include <future>
#include <random>

#include "base/error.h"

namespace tagclip {
namespace {

// A port of the upper range, another one in each process.
uint16_t some_port() { return static_cast<uint16_t>(40000 + std::random_device{}() % 20000); }

RankEnvironment environment(int64_t rank, int64_t size, uint16_t port) {
  return {.rank = rank, .size = size, .address = "127.0.0.1", .port = port};
}

TEST(Ranks, AloneEverySumIsWhatItWas) {
  const Ranks ranks;
  at::Tensor tensor = at::arange(3);
  ranks.sum(tensor);
  EXPECT_TRUE(tensor.equal(at::arange(3)));
  EXPECT_TRUE(ranks.first() && ranks.alone());
}

TEST(Ranks, AddUpOverAll) {
  constexpr int64_t kSize = 3;
  const uint16_t port = some_port();
  std::vector<std::future<at::Tensor>> results;
  for (int64_t rank = 0; rank < kSize; ++rank) {
    results.push_back(std::async(std::launch::async, [=] {
      const Ranks ranks(environment(rank, kSize, port), std::chrono::seconds(20));
      at::Tensor tensor = at::full({4}, rank, at::kLong);
      ranks.sum(tensor);
      EXPECT_EQ(ranks.sum(0.5), 1.5);
      ranks.wait_for_all();
      return tensor;
    }));
  }
  for (auto& result : results) EXPECT_TRUE(result.get().equal(at::full({4}, 3, at::kLong)));
}

TEST(Ranks, WhoWaitsInVainGivesUp) {
  try {
    const Ranks ranks(environment(0, 2, some_port()), std::chrono::seconds(1));
    FAIL() << "there is no other rank";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailure);
    EXPECT_NE(std::string(error.what()).find("rank 0 of 2 could not meet"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace tagclip
