#pragma once

#include <filesystem>
#include <string>

#include "base/console.h"
#include "fetch/table.h"

namespace tagclip {

struct DownloadLimits {
  int tries = 3;
  int timeout = 30;                // seconds of next to nothing that end a try
  int64_t max_bytes = 16LL << 30;  // of a file whose size is not published
};

// Fetches `url` as `target`, which appears whole and checked or not at all; what came so far stays
// in TARGET.part, where the next try or the next run goes on. Throws Stopped; Error(kFailure): not
// reached within the tries, refused, not the file that is expected, no room.
void download(const CheckpointFile& file, const std::string& url,
              const std::filesystem::path& target, const DownloadLimits& limits, Console& console);

}  // namespace tagclip
