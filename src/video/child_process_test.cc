#include "video/child_process.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <span>
#include <string>

#include "support/test_errors.h"

namespace tagclip {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string read_all(ChildProcess& process) {
  std::string text(1 << 16, '\0');
  text.resize(process.read(std::as_writable_bytes(std::span(text))));
  return text;
}

TEST(ChildProcess, ReadsAndWrites) {
  ChildProcess cat({"cat"});
  EXPECT_TRUE(cat.write(bytes_of("one ")));
  EXPECT_TRUE(cat.write(bytes_of("two")));
  cat.close_input();
  EXPECT_EQ(read_all(cat), "one two");
  EXPECT_EQ(cat.wait(), 0);
}

TEST(ChildProcess, KeepsErrorsAndTheExitCode) {
  ChildProcess shell({"sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(read_all(shell), "out\n");
  EXPECT_EQ(shell.wait(), 7);
  EXPECT_EQ(shell.wait(), 7) << "however often it is asked";
  EXPECT_EQ(shell.errors(), "err\n");
}

TEST(ChildProcess, KeepsTheEndOfManyErrors) {
  ChildProcess shell({"sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo $i >&2; i=$((i+1)); done"});
  EXPECT_EQ(shell.wait(), 0);
  EXPECT_EQ(shell.errors().size(), size_t{64} << 10);
  EXPECT_TRUE(shell.errors().ends_with("19999\n"));
}

TEST(ChildProcess, AProgramThatEndsEarlyTakesNoMore) {
  ChildProcess gone({"true"});
  bool taken = true;
  const std::string much(1 << 16, 'x');
  for (int i = 0; i < 1000 && taken; ++i) taken = gone.write(bytes_of(much));
  EXPECT_FALSE(taken) << "and no SIGPIPE has ended the test";
}

TEST(ChildProcess, ProgramsThatAreNotThere) {
  EXPECT_EQ(error_of(ErrorKind::kFailure, [] { ChildProcess({"/no/such/program"}); }),
            "cannot start /no/such/program: No such file or directory | ");
}

TEST(ChildProcess, IsKilledAtItsEnd) {
  const auto start = std::chrono::steady_clock::now();
  {
    ChildProcess sleeping({"sleep", "100"});
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  ChildProcess killed({"sh", "-c", "kill -9 $$"});
  EXPECT_EQ(killed.wait(), 128 + SIGKILL);
}

}  // namespace
}  // namespace tagclip
