#pragma once

#include <filesystem>

#include "base/console.h"

namespace tagclip {

// Held by the one process that may write to a name in the cache, by way of a hidden file beside
// it. The system lets go of it however the process ends.
class NameLock {
 public:
  // Waits for another holder and says so. Throws Stopped, and Error(kFailure) where files cannot be
  // made or locked.
  NameLock(const std::filesystem::path& target, Console& console);
  ~NameLock();
  NameLock(const NameLock&) = delete;
  NameLock& operator=(const NameLock&) = delete;

 private:
  bool try_lock();

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace tagclip
