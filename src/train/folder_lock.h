#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace tagclip {

// The right of one process to write into a run's folder. The system ends it with the process,
// however that ends; on NFS it holds for all machines, where the mount has locks.
class FolderLock {
 public:
  // Creates the folder. Waits up to two seconds for a process that is about to end. Throws
  // Error(kBadInput) that names the process which holds the folder, and Error(kFailure) when the
  // folder cannot be written. `warn` is called where the file system has no locks.
  FolderLock(const std::filesystem::path& folder,
             const std::function<void(const std::string&)>& warn);
  // Removes the lock file, and the folders that it created where nothing was put into them.
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  std::filesystem::path file_;
  std::vector<std::filesystem::path> created_;  // folders, the innermost first
  int descriptor_ = -1;
};

}  // namespace tagclip
