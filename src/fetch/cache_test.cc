#include "fetch/cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "support/test_dir.h"

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

const PublishedCheckpoint kSingle{.name = "one", .files = {{.name = "one.pt"}}};
const PublishedCheckpoint kFolder{.name = "two",
                                  .files = {{.name = "config.json"}, {.name = "weights"}}};

TEST(Cache, OneFileIsAFileAndSeveralAreAFolder) {
  EXPECT_EQ(path_in("/cache", kSingle), "/cache/one.pt");
  EXPECT_EQ(path_in("/cache", kFolder), "/cache/two");
}

TEST(Cache, KeptBytesCountWholeCheckpointsOnly) {
  const TestDir cache;
  EXPECT_EQ(kept_bytes(cache.path(), kSingle), 0);
  write_file(cache / "one.pt", "12345");
  EXPECT_EQ(kept_bytes(cache.path(), kSingle), 5);
  create_folders(cache / "two");
  write_file(cache / "two/config.json", "{}");
  EXPECT_EQ(kept_bytes(cache.path(), kFolder), 0);
  write_file(cache / "two/weights", "123");
  EXPECT_EQ(kept_bytes(cache.path(), kFolder), 5);
}

TEST(Cache, RoomOnTheDisk) {
  const TestDir cache;
  EXPECT_NO_THROW(check_room(cache.path(), 1));
  EXPECT_NO_THROW(check_room(cache.path(), -1));
  try {
    check_room(cache.path(), int64_t{1} << 60);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailure);
    EXPECT_THAT(error.what(), testing::HasSubstr("1048576.0 TiB are needed"));
  }
}

TEST(Cache, AmountsAreReadable) {
  EXPECT_EQ(format_bytes(1023), "1023 bytes");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(598641023), "570.9 MiB");
  EXPECT_EQ(format_bytes(16LL << 30), "16.0 GiB");
}

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
