#include "video/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"

extern char** environ;

namespace tagclip {
namespace {

[[noreturn]] void fail(const std::string& program, int error) {
  throw failure(fmt::format("cannot start {}: {}", program, std::strerror(error)));
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command) {
  // Sockets, unlike pipes, can be written to without a signal when the other end is gone.
  std::array<int, 2> in{-1, -1}, out{-1, -1};
  const bool made = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in.data()) == 0 &&
                    ::pipe2(out.data(), O_CLOEXEC) == 0;
  errors_ = ::memfd_create("stderr", MFD_CLOEXEC);
  input_ = in[0], output_ = out[0];
  int error = made && errors_ >= 0 ? 0 : errno;

  if (error == 0) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors_, STDERR_FILENO);
    // Ctrl-C is for us: what has been made is to be finished.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    error = ::posix_spawnp(&pid_, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  close(in[1]);
  close(out[1]);
  if (error == 0) return;
  pid_ = -1;
  for (int* file : {&input_, &output_, &errors_}) close(*file);
  fail(command.at(0), error);
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    wait();
  }
  for (int* file : {&input_, &output_, &errors_}) close(*file);
}

void ChildProcess::close(int& file) {
  if (file >= 0) ::close(file);
  file = -1;
}

size_t ChildProcess::read(std::span<std::byte> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::read(output_, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

bool ChildProcess::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(input_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return true;
}

void ChildProcess::close_input() { close(input_); }

int ChildProcess::wait() {
  if (pid_ > 0) {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return exit_code_;
}

std::string ChildProcess::errors() const {
  constexpr off_t kMost = 64 << 10;
  const off_t size = std::max<off_t>(0, ::lseek(errors_, 0, SEEK_END));
  const off_t begin = std::max<off_t>(0, size - kMost);
  std::string text(static_cast<size_t>(size - begin), '\0');
  const ssize_t count = ::pread(errors_, text.data(), text.size(), begin);
  text.resize(static_cast<size_t>(std::max<ssize_t>(0, count)));
  return text;
}

}  // namespace tagclip
