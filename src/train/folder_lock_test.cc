#include "train/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

#include "base/files.h"
#include "support/test_dir.h"
#include "support/test_errors.h"

namespace tagclip {
namespace {

using ::testing::HasSubstr;

void no_warning(const std::string& warning) { ADD_FAILURE() << warning; }

TEST(FolderLock, IsForOneProcessAtATime) {
  TestDir dir;
  const std::filesystem::path run = dir / "runs" / "a";
  std::optional<FolderLock> first(std::in_place, run, no_warning);
  const std::string words = bad_input_text([&] { FolderLock second(run, no_warning); });
  EXPECT_THAT(words, HasSubstr("another run writes into this folder: process " +
                               std::to_string(::getpid()) + " on "));
  first.reset();
  EXPECT_NO_THROW(FolderLock(run, no_warning));
}

TEST(FolderLock, LeavesNothingWhereNothingWasWritten) {
  TestDir dir;
  {
    FolderLock lock(dir / "runs" / "a", no_warning);
  }
  EXPECT_FALSE(std::filesystem::exists(dir / "runs"));
  {
    FolderLock lock(dir / "runs" / "b" / "", no_warning);
    write_file(dir / "runs" / "b" / "config.toml", "");
  }
  EXPECT_TRUE(std::filesystem::exists(dir / "runs" / "b" / "config.toml"));
  EXPECT_FALSE(std::filesystem::exists(dir / "runs" / "b" / "run.lock"));
}

TEST(FolderLock, DoesNotOutliveItsProcess) {
  TestDir dir;
  const std::filesystem::path run = dir / "run";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(run, [](const std::string&) {});
    [[maybe_unused]] const ssize_t told = ::write(ready[1], "x", 1);
    while (true) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_THAT(bad_input_text([&] { FolderLock second(run, no_warning); }),
              HasSubstr("process " + std::to_string(child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_NO_THROW(FolderLock(run, no_warning));
}

}  // namespace
}  // namespace tagclip
