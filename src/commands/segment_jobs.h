#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/console.h"
#include "commands/commands.h"
#include "infer/result_files.h"
#include "ranks/ranks.h"

namespace tagclip {

// A photo to be segmented, and where its results go.
struct SegmentJob {
  std::filesystem::path photo;
  std::string stem;  // of all its files
  ResultFiles files;
};

// What is to be done, the same on every rank. Photos that have results already, on any rank's
// machine, are left alone unless the user asked to overwrite. Throws as list_photos;
// Error(kUsage) for a list on the standard input of several ranks; Error(kBadInput) when the ranks
// see different photos; Error(kFailure) when nothing is left to do.
std::vector<SegmentJob> plan_jobs(const SegmentOptions& options, const Ranks& ranks,
                                  Console& console);

}  // namespace tagclip
