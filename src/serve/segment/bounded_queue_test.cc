#include "serve/segment/bounded_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace tagclip {
namespace {

using Job = std::unique_ptr<int>;

bool push(BoundedQueue<Job>& queue, int value) {
  Job job = std::make_unique<int>(value);
  return queue.push(job);
}

TEST(BoundedQueue, RefusesWhatIsTooMuchAndLeavesIt) {
  BoundedQueue<Job> queue(2);
  EXPECT_TRUE(push(queue, 1));
  EXPECT_TRUE(push(queue, 2));
  Job third = std::make_unique<int>(3);
  EXPECT_FALSE(queue.push(third));
  ASSERT_NE(third, nullptr);
  EXPECT_EQ(**queue.pop(), 1);
  EXPECT_TRUE(queue.push(third));
  EXPECT_EQ(queue.size(), 2U);
}

TEST(BoundedQueue, TakesWhatIsWantedInOrder) {
  BoundedQueue<Job> queue(10);
  for (int i = 0; i < 6; ++i) push(queue, i);
  const auto even = queue.take(2, [](const Job& job) { return *job % 2 == 0; });
  ASSERT_EQ(even.size(), 2U);
  EXPECT_EQ(*even[0], 0);
  EXPECT_EQ(*even[1], 2);
  for (const int left : {1, 3, 4, 5}) EXPECT_EQ(**queue.pop(), left);
}

TEST(BoundedQueue, ClosesOnceItIsEmpty) {
  BoundedQueue<Job> queue(2);
  push(queue, 1);
  queue.close();
  EXPECT_FALSE(push(queue, 2));
  EXPECT_TRUE(queue.pop());
  EXPECT_FALSE(queue.pop());
}

TEST(BoundedQueue, WakesWhoWaits) {
  BoundedQueue<Job> queue(1);
  int got = 0;
  std::thread waiting([&] {
    while (const auto job = queue.pop()) got += **job;
  });
  for (int i = 0; i < 100; ++i) {
    while (!push(queue, 1)) std::this_thread::yield();
  }
  queue.close();
  waiting.join();
  EXPECT_EQ(got, 100);
}

}  // namespace
}  // namespace tagclip
