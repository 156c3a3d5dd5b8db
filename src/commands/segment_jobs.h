#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/console.h"
#include "commands/commands.h"
#include "ranks/world.h"

namespace tagclip {

// A photo to be segmented, and where its outputs go.
struct SegmentJob {
  std::filesystem::path photo;
  std::string stem;                          // of the names of its files
  std::vector<std::filesystem::path> files;  // in the order of outputs()
};

// Lists the photos of the options as jobs, the same on every rank. Photos that have results
// already, on any rank's machine, are left out unless the options say to overwrite. Throws as
// list_photos; Error(kUsage) for a list on the standard input of several ranks; Error(kBadInput)
// when the ranks see different photos; Error(kFailure) when nothing is left to do.
std::vector<SegmentJob> plan_jobs(const SegmentOptions& options, const World& world,
                                  Console& console);

}  // namespace tagclip
