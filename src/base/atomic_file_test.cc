#include "base/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/test_dir.h"

namespace tagclip {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
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
  EXPECT_EQ(read(dir / "a.txt"), "whole");
}

TEST(AtomicFile, KeepsTheOldFileWhenAbandoned) {
  TestDir dir;
  write_file(dir / "a.txt", "old");
  {
    AtomicFile(dir / "a.txt").write("new");
  }
  EXPECT_EQ(read(dir / "a.txt"), "old");
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

}  // namespace
}  // namespace tagclip
