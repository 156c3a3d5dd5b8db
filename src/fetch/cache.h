#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>

#include "base/console.h"
#include "fetch/table.h"

namespace tagclip {

// The file or folder a checkpoint is, or will be, in `folder`.
std::filesystem::path path_in(const std::filesystem::path& folder,
                              const PublishedCheckpoint& checkpoint);

// The bytes of a checkpoint that is kept there, 0 when it is not. Says nothing about its content.
int64_t kept_bytes(const std::filesystem::path& folder, const PublishedCheckpoint& checkpoint);

// Thrown where the user asked to stop; what was fetched so far is kept.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override { return "stopped by the user"; }
};

// Sleeps. Throws Stopped within 50 ms of the user's asking for it.
void pause(std::chrono::milliseconds time, const Console& console);

// A lock on a name in the cache, by way of a hidden file beside it: one process at a time may write
// there. The system releases it however the process ends.
class NameLock {
 public:
  // Waits for another holder and says so. Throws Stopped, and Error(kFailure) where the file
  // cannot be made or locked.
  NameLock(const std::filesystem::path& target, Console& console);
  ~NameLock();
  NameLock(const NameLock&) = delete;
  NameLock& operator=(const NameLock&) = delete;

 private:
  bool try_lock();

  std::filesystem::path path_;
  int descriptor_ = -1;
};

// Throws Error(kFailure) unless the disk of `folder` has room for `bytes` more.
void check_room(const std::filesystem::path& folder, int64_t bytes);

// "335.0 MiB"
std::string format_bytes(int64_t bytes);

}  // namespace tagclip
