#include "fetch/name_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "fetch/interruption.h"

namespace tagclip {
namespace {

Error cannot_lock(const std::filesystem::path& path) {
  return failure("cannot lock " + path.string() + ": " + std::strerror(errno),
                 "choose a folder you may write to");
}

bool is_file_named(int descriptor, const std::filesystem::path& path) {
  struct stat opened, named;
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

NameLock::NameLock(const std::filesystem::path& target, Console& console)
    : path_(target.parent_path() / fmt::format(".{}.lock", target.filename().string())) {
  if (try_lock()) return;
  console.note("waiting for another tagclip that is fetching " + target.string());
  do {
    pause(std::chrono::milliseconds(100), console);
  } while (!try_lock());
}

bool NameLock::try_lock() {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw cannot_lock(path_);
  const bool locked = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
  if (!locked && errno != EWOULDBLOCK && errno != EINTR) {
    const Error error = cannot_lock(path_);
    ::close(descriptor_);
    throw error;
  }
  // The former holder removes the file: a lock on one that has no name any more is worth nothing.
  if (locked && is_file_named(descriptor_, path_)) return true;
  ::close(descriptor_);
  return false;
}

NameLock::~NameLock() {
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace tagclip
