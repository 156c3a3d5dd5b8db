#include "fetch/name_lock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/test_dir.h"
#include "fetch/interruption.h"

namespace tagclip {
namespace {

class QuietConsole : public Console {
 public:
  void print(std::string_view) override {}
  void note(std::string_view) override { ++notes; }
  void warn(std::string_view) override {}
  void progress(std::string_view, int64_t, int64_t) override {}
  StopReason stop_reason() const override { return stop ? StopReason::kUser : StopReason::kNone; }

  std::atomic<int> notes = 0;
  std::atomic<bool> stop = false;
};

TEST(NameLock, IsHeldByOneAtATime) {
  const TestDir folder;
  std::atomic<int> inside = 0, most = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      QuietConsole console;
      const NameLock lock(folder / "x", console);
      most = std::max(most.load(), ++inside);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      --inside;
    });
  }
  threads.clear();
  EXPECT_EQ(most, 1);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "the lock file is left";
}

TEST(NameLock, TellsThatItWaitsAndStopsWhenAsked) {
  const TestDir folder;
  QuietConsole first, second;
  const NameLock lock(folder / "x", first);
  EXPECT_EQ(first.notes, 0);
  second.stop = true;
  EXPECT_THROW(NameLock(folder / "x", second), Stopped);
  EXPECT_EQ(second.notes, 1);
  const NameLock other(folder / "y", first);
}

}  // namespace
}  // namespace tagclip
