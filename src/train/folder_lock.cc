#include "train/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "runs/run_record.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

// The folder and those above it that do not exist, the innermost first.
std::vector<fs::path> missing_folders(fs::path folder) {
  std::vector<fs::path> missing;
  folder = folder.lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  for (; !folder.empty() && path_status(folder).kind == PathKind::kNothing;
       folder = folder.parent_path()) {
    missing.push_back(folder);
  }
  return missing;
}

std::string this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("process {} on {}, since {}", ::getpid(), host.data(),
                     utc_time(std::chrono::system_clock::now()));
}

// The file at the path may be another one by now: its last holder has removed it.
bool is_still_at(int descriptor, const fs::path& path) {
  struct stat opened{}, named{};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

std::string content(int descriptor) {
  std::array<char, 400> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), 0);
  return one_line(trim({text.data(), count > 0 ? static_cast<size_t>(count) : 0}));
}

enum class Outcome { kLocked, kHeld, kNoLocks, kGone };

Outcome try_lock(int descriptor, const fs::path& path) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
    return is_still_at(descriptor, path) ? Outcome::kLocked : Outcome::kGone;
  }
  return errno == EWOULDBLOCK || errno == EINTR ? Outcome::kHeld : Outcome::kNoLocks;
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder, const std::function<void(const std::string&)>& warn)
    : file_(folder / "run.lock"), created_(missing_folders(folder)) {
  constexpr auto kPatience = std::chrono::seconds(2);
  constexpr auto kPause = std::chrono::milliseconds(50);
  create_folders(folder);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    const int descriptor = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) throw cannot_write(file_, errno);
    const Outcome outcome = try_lock(descriptor, file_);
    if (outcome == Outcome::kLocked || outcome == Outcome::kNoLocks) {
      descriptor_ = descriptor;
      if (outcome == Outcome::kLocked) break;
      warn(
          fmt::format("{}: this file system has no locks; see to it that no second process "
                      "trains into this folder",
                      folder.string()));
      return;
    }
    const std::string holder = content(descriptor);
    ::close(descriptor);
    if (outcome == Outcome::kGone) continue;
    if (std::chrono::steady_clock::now() > deadline) {
      throw bad_input(fmt::format("{}: another run writes into this folder: {}", folder.string(),
                                  holder.empty() ? "its process is not known" : holder),
                      "wait for it or stop it, or choose another output folder");
    }
    std::this_thread::sleep_for(kPause);
  }
  const std::string words = this_process() + "\n";
  if (::ftruncate(descriptor_, 0) != 0 ||
      ::pwrite(descriptor_, words.data(), words.size(), 0) != std::ssize(words)) {
    const int error = errno;
    ::close(descriptor_);
    throw cannot_write(file_, error);
  }
}

FolderLock::~FolderLock() {
  ::unlink(file_.c_str());  // while it is locked: nobody else's file can be there
  ::close(descriptor_);
  for (const fs::path& folder : created_) {
    if (::rmdir(folder.c_str()) != 0) break;  // not empty
  }
}

}  // namespace tagclip
