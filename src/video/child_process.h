#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace tagclip {

// A running program, found in PATH where its name holds no slash. Its standard input and output are
// at our end, what it writes to standard error is kept. It is killed where it still runs at the end
// of this object's life.
class ChildProcess {
 public:
  // Throws Error(kFailure) where it cannot be started.
  explicit ChildProcess(const std::vector<std::string>& command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Reads until `bytes` are full or the output ends, and returns how many were read.
  size_t read(std::span<std::byte> bytes);
  // Returns false where the program does not take all of it: it has ended.
  bool write(std::span<const std::byte> bytes);
  void close_input();

  // Waits for the end. Returns its exit code, or 128 + the number of the signal that killed it.
  int wait();
  // The last 64 KiB of what it has written to standard error.
  std::string errors() const;

 private:
  void close(int& file);

  pid_t pid_ = -1;  // while it runs
  int exit_code_ = 0;
  int input_ = -1, output_ = -1, errors_ = -1;
};

}  // namespace tagclip
