#include "base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

#include "base/error.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string failure_text(const std::function<void()>& work) {
  return error_of(ErrorKind::kFailure, work);
}

// Paths that the system refuses to look at, whoever asks, with its reason.
class Unreachable : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_symlink("loop", dir_ / "loop");
    add("loop", "Too many levels of symbolic links");
    add("loop/below", "Too many levels of symbolic links");
    add(std::string(256, 'x'), "File name too long");
    paths_.push_back({dir_ / std::string("a\0b", 3), (dir_ / "a\\0b").string(),
                      "the name holds a NUL character"});
  }
  void add(const std::string& name, const std::string& reason) {
    paths_.push_back({dir_ / name, (dir_ / name).string(), reason});
  }

  struct Case {
    std::filesystem::path path;
    std::string shown, reason;
  };
  TestDir dir_;
  std::vector<Case> paths_;
};

TEST_F(Unreachable, IsAnErrorThatNamesPathAndReason) {
  for (const auto& [path, shown, reason] : paths_) {
    const auto read = StartsWith("cannot read " + shown + ": " + reason);
    const auto write = StartsWith("cannot write " + shown + ": " + reason);
    EXPECT_THAT(bad_input_text([&] { path_kind(path); }), read);
    EXPECT_THAT(bad_input_text([&] { is_folder(path); }), read);
    EXPECT_THAT(bad_input_text([&] { size_of_file(path); }), read);
    EXPECT_THAT(bad_input_text([&] { read_bytes(path); }), read);
    EXPECT_THAT(bad_input_text([&] { list_folder(path); }), read);
    EXPECT_THAT(failure_text([&] { check_output_folder(path); }), write);
    EXPECT_FALSE(is_same_file(path, dir_.path()));
    EXPECT_NE(path_status(path).error, 0);
    if (path.filename() == "loop") continue;  // a link may be replaced
    EXPECT_THAT(failure_text([&] { is_taken(path); }), write);
    EXPECT_THAT(failure_text([&] { write_file(path, "x"); }), write);
  }
}

TEST(PathKinds, LinksAreFollowed) {
  TestDir dir;
  write_file(dir / "file", "12345");
  std::filesystem::create_symlink("file", dir / "link");
  std::filesystem::create_symlink("nowhere", dir / "dangling");
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(path_kind(dir / "link"), PathKind::kFile);
  EXPECT_EQ(path_kind(dir.path()), PathKind::kFolder);
  EXPECT_EQ(path_kind(dir / "pipe"), PathKind::kOther);
  EXPECT_EQ(path_kind(dir / "dangling"), PathKind::kNothing);
  EXPECT_EQ(path_kind(dir / "file" / "below"), PathKind::kNothing);
  EXPECT_EQ(size_of_file(dir / "link"), 5U);
  EXPECT_TRUE(is_same_file(dir / "file", dir / "link"));
  EXPECT_FALSE(is_same_file(dir / "file", dir / "pipe"));
  EXPECT_TRUE(is_taken(dir / "dangling"));
  EXPECT_FALSE(is_taken(dir / "nowhere"));
}

TEST(ListFolder, NamesAndKindsInOrder) {
  TestDir dir;
  write_file(dir / "b", "");
  std::filesystem::create_directory(dir / "a");
  std::filesystem::create_symlink("a", dir / "c");
  const auto entries = list_folder(dir.path());
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[0].kind, PathKind::kFolder);
  EXPECT_EQ(entries[1].kind, PathKind::kFile);
  EXPECT_EQ(entries[2].kind, std::nullopt);
  EXPECT_THAT(bad_input_text([&] { list_folder(dir / "b"); }), HasSubstr("Not a directory"));
}

TEST(ReadFile, WholePrefixAndMapped) {
  TestDir dir;
  write_file(dir / "a", "hello world");
  EXPECT_EQ(text_of(read_bytes(dir / "a")), "hello world");
  EXPECT_EQ(text_of(read_prefix(dir / "a", 5)), "hello");
  EXPECT_EQ(text_of(read_prefix(dir / "a", 500)), "hello world");
  EXPECT_EQ(text_of(MappedFile(dir / "a").bytes()), "hello world");
  EXPECT_EQ(read_text(dir / "a"), "hello world");
}

TEST(ReadFile, EmptyFile) {
  TestDir dir;
  write_file(dir / "a", "");
  EXPECT_TRUE(read_bytes(dir / "a").empty());
  EXPECT_TRUE(MappedFile(dir / "a").bytes().empty());
  EXPECT_EQ(read_text(dir / "a"), "");
}

TEST(ReadFile, LimitIsCheckedBeforeReading) {
  TestDir dir;
  write_file(dir / "a", "12345");
  EXPECT_EQ(read_bytes(dir / "a", 5).size(), 5u);
  EXPECT_THAT(bad_input_text([&] { read_bytes(dir / "a", 4); }), HasSubstr("larger than 4 bytes"));
  // A sparse file of 1 TiB takes no room on the disk, but would as bytes.
  std::filesystem::resize_file(dir / "a", uint64_t{1} << 40);
  EXPECT_THAT(bad_input_text([&] { read_bytes(dir / "a"); }), HasSubstr("larger than 512 MiB"));
}

TEST(ReadFile, FoldersAndDevicesAreRefused) {
  EXPECT_THAT(bad_input_text([] { MappedFile("/"); }), HasSubstr("a folder"));
  EXPECT_THAT(bad_input_text([] { read_bytes("/dev/zero"); }), HasSubstr("a device"));
}

TEST(ReadFile, TextComesFromAPipe) {
  TestDir dir;
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  const std::string sent(100'000, 'x');  // more than a pipe holds
  std::thread writer([&] { std::ofstream(dir / "pipe") << sent; });
  EXPECT_EQ(read_text(dir / "pipe"), sent);
  writer.join();
  EXPECT_THAT(bad_input_text([] { read_text("/dev/zero", 1 << 20); }),
              HasSubstr("cannot read /dev/zero: it is larger than 1 MiB"));
  EXPECT_THAT(bad_input_text([&] { read_text(dir.path()); }), HasSubstr("a folder"));
  EXPECT_THAT(bad_input_text([&] { read_text(dir / "none"); }), HasSubstr("No such file"));
}

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  TestDir dir;
  {
    AtomicFile file(dir / "a.txt");
    file.write("half");
    EXPECT_FALSE(std::filesystem::exists(dir / "a.txt"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
  write_file(dir / "a.txt", "whole");
  EXPECT_EQ(read_text(dir / "a.txt"), "whole");
}

TEST(AtomicFile, KeepsTheOldFileWhenAbandoned) {
  TestDir dir;
  write_file(dir / "a.txt", "old");
  {
    AtomicFile(dir / "a.txt").write("new");
  }
  EXPECT_EQ(read_text(dir / "a.txt"), "old");
}

TEST(AtomicFile, TakesTheLongestName) {
  TestDir dir;
  const std::string name(255, 'x');
  write_file(dir / name, "whole");
  EXPECT_EQ(read_text(dir / name), "whole");
}

TEST(AtomicFile, WhatAKilledProcessLeavesIsKnown) {
  TestDir dir;
  const AtomicFile file(dir / "a.png");
  const auto entries = list_folder(dir.path());
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_TRUE(is_unfinished(entries[0].name)) << entries[0].name;
  EXPECT_FALSE(is_unfinished("a.png"));
  EXPECT_FALSE(is_unfinished("a.tmp-old.png"));
}

TEST(AtomicFile, NamesThePathItCannotWrite) {
  TestDir dir;
  try {
    AtomicFile file(dir / "missing" / "a.txt");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailure);
    EXPECT_NE(std::string(error.what()).find("missing/a.txt"), std::string::npos);
  }
}

TEST(AtomicFile, ReportsAWriteThatStopsHalfway) {
  // A file size limit stands in for the disk that fills up.
  TestDir dir;
  AtomicFile file(dir / "a.txt");
  const std::string big(1 << 20, 'x');
  rlimit old_limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  signal(SIGXFSZ, SIG_IGN);
  rlimit small = old_limit;
  small.rlim_cur = 1 << 16;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(file.write(big), Error);
  setrlimit(RLIMIT_FSIZE, &old_limit);
}

TEST(AppendFile, EveryRecordIsThereAtOnce) {
  TestDir dir;
  AppendFile file(dir / "a");
  file.append("one ");
  EXPECT_EQ(read_text(dir / "a"), "one ");
  file.append("two");
  EXPECT_EQ(read_text(dir / "a"), "one two");
}

TEST(AppendFile, RefusesAFileThatExists) {
  TestDir dir;
  AppendFile first(dir / "a");
  EXPECT_THROW(AppendFile(dir / "a"), Error);
}

// A limit on the size of files stands for a full disk: the first bytes of a record still fit.
TEST(AppendFile, ARecordThatDoesNotFitLeavesNothing) {
  TestDir dir;
  AppendFile file(dir / "a");
  file.append("0123456789");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 15, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  try {
    file.append("0123456789");
    ADD_FAILURE() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailure);
    EXPECT_THAT(error.what(), HasSubstr((dir / "a").string()));
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_text(dir / "a"), "0123456789");
  file.append("more");
  EXPECT_EQ(read_text(dir / "a"), "0123456789more");
}

TEST(CreateFolders, MakesAllThatAreMissing) {
  TestDir dir;
  create_folders(dir / "a/b");
  create_folders(dir / "a/b");
  EXPECT_TRUE(std::filesystem::is_directory(dir / "a/b"));
  write_file(dir / "file", "");
  try {
    create_folders(dir / "file/c");
    ADD_FAILURE() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailure);
    EXPECT_THAT(error.what(), HasSubstr("file/c: "));
  }
}

}  // namespace
}  // namespace tagclip
