#include "ranks/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <random>

#include "base/error.h"

namespace tagclip {
namespace {

using ::testing::HasSubstr;

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
      const World world(environment(rank, kSize, port), {.timeout = std::chrono::seconds(20)});
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

// The end of joining alone as `rank` of three, and the words said meanwhile.
struct Wait {
  std::optional<ErrorKind> kind;
  std::string error, words;
};
Wait wait_alone(int64_t rank, Patience patience) {
  Wait wait;
  patience.say = [&](const std::string& words) { wait.words += words + "\n"; };
  try {
    const World world(environment(rank, 3, some_port()), patience);
  } catch (const Error& error) {
    wait.kind = error.kind();
    wait.error = error.what();
  }
  return wait;
}

TEST(World, ARankThatWaitsInVainGivesUp) {
  const Wait root = wait_alone(0, {.timeout = std::chrono::seconds(1)});
  EXPECT_EQ(root.kind, ErrorKind::kFailure);
  EXPECT_EQ(root.error, "rank 0 of 3 has waited 1 s for ranks 1 and 2");
  const Wait other = wait_alone(1, {.timeout = std::chrono::seconds(1)});
  EXPECT_EQ(other.kind, ErrorKind::kFailure);
  EXPECT_THAT(other.error, HasSubstr("rank 1 of 3 has waited 1 s for rank 0 at 127.0.0.1:"));
}

TEST(World, AWaitIsAnnouncedAndCanBeStopped) {
  const auto begin = std::chrono::steady_clock::now();
  const auto waited = [&] { return std::chrono::steady_clock::now() - begin; };
  const Wait wait =
      wait_alone(0, {.stop_requested = [&] { return waited() > std::chrono::seconds(4); }});
  EXPECT_LT(waited(), std::chrono::seconds(5));
  EXPECT_EQ(wait.kind, ErrorKind::kStopped);
  EXPECT_THAT(wait.words, HasSubstr("rank 0 of 3 waits for ranks 1 and 2, up to 600 s"));
  EXPECT_THAT(wait.words,
              HasSubstr("WORLD_SIZE is 3; to work without others start it with: env -u"));
}

}  // namespace
}  // namespace tagclip
