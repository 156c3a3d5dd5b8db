#include "fetch/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "base/error.h"
#include "base/files.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

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

fs::path path_in(const fs::path& folder, const PublishedCheckpoint& checkpoint) {
  return folder / checkpoint.kept_as();
}

int64_t kept_bytes(const fs::path& folder, const PublishedCheckpoint& checkpoint) {
  const fs::path place = path_in(folder, checkpoint);
  int64_t sum = 0;
  for (const CheckpointFile& file : checkpoint.files) {
    const PathStatus status = path_status(checkpoint.is_folder() ? place / file.name : place);
    if (status.kind != PathKind::kFile) return 0;
    sum += static_cast<int64_t>(status.size);
  }
  return sum;
}

void pause(std::chrono::milliseconds time, const Console& console) {
  constexpr std::chrono::milliseconds kGlance(50);
  for (; time.count() > 0; time -= kGlance) {
    if (console.stop_requested()) throw Stopped{};
    std::this_thread::sleep_for(std::min(time, kGlance));
  }
}

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

void check_room(const fs::path& folder, int64_t bytes) {
  const std::optional<uint64_t> free = free_bytes(folder);
  if (!free || bytes <= static_cast<int64_t>(*free)) return;
  throw failure(fmt::format("{}: {} are needed, {} are free", folder.string(), format_bytes(bytes),
                            format_bytes(static_cast<int64_t>(*free))),
                "free some space, or name a folder on another disk with `to` or TAGCLIP_HOME");
}

std::string format_bytes(int64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  double amount = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (amount >= 1024 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

}  // namespace tagclip
