#include "base/append_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/test_dir.h"

namespace tagclip {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(AppendFile, EveryRecordIsThereAtOnce) {
  TestDir dir;
  AppendFile file(dir / "a");
  file.append("one ");
  EXPECT_EQ(content(dir / "a"), "one ");
  file.append("two");
  EXPECT_EQ(content(dir / "a"), "one two");
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
    EXPECT_THAT(error.what(), ::testing::HasSubstr((dir / "a").string()));
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(content(dir / "a"), "0123456789");
  file.append("more");
  EXPECT_EQ(content(dir / "a"), "0123456789more");
}

}  // namespace
}  // namespace tagclip
