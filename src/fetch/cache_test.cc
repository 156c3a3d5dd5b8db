#include "fetch/cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/test_dir.h"

namespace tagclip {
namespace {

const Checkpoint kSingle{.name = "one", .files = {{.name = "one.pt"}}};
const Checkpoint kFolder{.name = "two", .files = {{.name = "config.json"}, {.name = "weights"}}};

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

}  // namespace
}  // namespace tagclip
