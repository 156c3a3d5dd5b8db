#include "ranks/world.h"

#include <gtest/gtest.h>

#include <future>
#include <random>

#include "base/error.h"

namespace tagclip {
namespace {

// A random port of the upper range, so that processes do not share one.
uint16_t some_port() { return static_cast<uint16_t>(40000 + std::random_device{}() % 20000); }

RankEnvironment environment(int64_t rank, int64_t size, uint16_t port) {
  return {.rank = rank, .size = size, .address = "127.0.0.1", .port = port};
}

TEST(World, CollectivesOfOneProcessChangeNothing) {
  const World world;
  at::Tensor tensor = at::arange(3);
  world.all_reduce_sum(tensor);
  EXPECT_TRUE(tensor.equal(at::arange(3)));
  EXPECT_TRUE(world.is_root() && world.is_single());
}

TEST(World, AllReduceSumAddsUpOverAllRanks) {
  constexpr int64_t kSize = 3;
  const uint16_t port = some_port();
  std::vector<std::future<at::Tensor>> results;
  for (int64_t rank = 0; rank < kSize; ++rank) {
    results.push_back(std::async(std::launch::async, [=] {
      const World world(environment(rank, kSize, port), std::chrono::seconds(20));
      at::Tensor tensor = at::full({4}, rank, at::kLong);
      world.all_reduce_sum(tensor);
      EXPECT_EQ(world.all_reduce_sum(0.5), 1.5);
      EXPECT_TRUE(world.any(rank == 1));
      EXPECT_FALSE(world.any(false));
      world.barrier();
      return tensor;
    }));
  }
  for (auto& result : results) EXPECT_TRUE(result.get().equal(at::full({4}, 3, at::kLong)));
}

TEST(World, ARankThatWaitsInVainGivesUp) {
  try {
    const World world(environment(0, 2, some_port()), std::chrono::seconds(1));
    FAIL() << "there is no other rank";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailure);
    EXPECT_NE(std::string(error.what()).find("rank 0 of 2 could not connect"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace tagclip
