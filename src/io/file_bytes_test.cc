#include "io/file_bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "base/atomic_file.h"
#include "base/test_dir.h"
#include "io/test_errors.h"

namespace tagclip {
namespace {

using ::testing::HasSubstr;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(FileBytes, WholePrefixAndMapped) {
  TestDir dir;
  write_file(dir / "a", "hello world");
  EXPECT_EQ(text_of(read_bytes(dir / "a")), "hello world");
  EXPECT_EQ(text_of(read_prefix(dir / "a", 5)), "hello");
  EXPECT_EQ(text_of(read_prefix(dir / "a", 500)), "hello world");
  EXPECT_EQ(text_of(MappedFile(dir / "a").bytes()), "hello world");
}

TEST(FileBytes, EmptyFile) {
  TestDir dir;
  write_file(dir / "a", "");
  EXPECT_TRUE(read_bytes(dir / "a").empty());
  EXPECT_TRUE(MappedFile(dir / "a").bytes().empty());
}

TEST(FileBytes, LimitIsCheckedBeforeReading) {
  TestDir dir;
  write_file(dir / "a", "12345");
  EXPECT_EQ(read_bytes(dir / "a", 5).size(), 5u);
  EXPECT_THAT(bad_input_text([&] { read_bytes(dir / "a", 4); }), HasSubstr("5 bytes, at most 4"));
  // A sparse file of 1 TiB takes no room on the disk, but would as bytes.
  std::filesystem::resize_file(dir / "a", uint64_t{1} << 40);
  EXPECT_THAT(bad_input_text([&] { read_bytes(dir / "a"); }), HasSubstr("1099511627776 bytes"));
}

TEST(FileBytes, FoldersAndDevicesAreRefused) {
  EXPECT_THAT(bad_input_text([] { MappedFile("/"); }), HasSubstr("a folder"));
  EXPECT_THAT(bad_input_text([] { read_bytes("/dev/zero"); }), HasSubstr("a device"));
}

}  // namespace
}  // namespace tagclip
