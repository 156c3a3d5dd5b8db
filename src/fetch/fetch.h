#pragma once

#include <filesystem>
#include <string>

#include "base/console.h"
#include "fetch/download.h"
#include "fetch/table.h"

namespace tagclip {

struct FetchPlan {
  std::filesystem::path folder;  // where checkpoints are kept; made where it is missing
  std::filesystem::path from;    // a file (a folder, for a checkpoint of several files) to copy
  std::string mirror;            // base address to which the names in the cache are appended
  DownloadLimits limits;
};

// Sees to it that the checkpoint is in the folder, whole and checked, and tells whether it had to
// be fetched: false, it was there. One process at a time; others wait. Throws Stopped;
// Error(kFailure) where it cannot be fetched, Error(kBadInput) where `from` is not what is
// expected.
bool fetch_checkpoint(const Checkpoint& checkpoint, const FetchPlan& plan, Console& console);

}  // namespace tagclip
