#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/console.h"
#include "commands/commands.h"
#include "infer/outputs.h"
#include "infer/result_record.h"
#include "ranks/world.h"

namespace tagclip {

// A photo to be segmented, and where its outputs go.
struct SegmentJob {
  std::filesystem::path photo;
  std::string stem;                          // of the names of its files
  std::vector<std::filesystem::path> files;  // see output_files
};

// The jobs of a run, the same on every rank.
struct SegmentPlan {
  std::vector<SegmentJob> jobs;
  // Every photo of the list, other shards' and those that are done among them.
  std::vector<SegmentJob> whole_list;
  int64_t failed = 0;  // entries that cannot be done, and were reported
};

// Lists the photos of the options as jobs. Reports entries that give none, and what was left out of
// folders. Throws as list_photos; Error(kUsage) for a list on the standard input of several ranks;
// Error(kBadInput) where there is no photo at all, or the ranks see different ones; Error(kFailure)
// where nothing can be written to the folder of the results.
SegmentPlan plan_jobs(const SegmentOptions& options, const OutputSet& outputs, const World& world,
                      Console& console);

// Makes sure that the folders of the results are there.
void create_output_folders(const SegmentOptions& options);

// Leaves out the photos that have results on any rank's machine: they are done where those were
// made from the same photo and as `made_from` says, and failed where not, for results are replaced
// only where the options say to overwrite. Returns false when the user stopped it. Throws
// Error(kFailure) where no job is left, unless files of the run are to be made from what is done.
bool leave_out_done(const SegmentOptions& options, const OutputSet& outputs,
                    const MadeFrom& made_from, const World& world, Console& console,
                    SegmentPlan& plan);

// Reports that a photo, or another entry of the list, failed.
void report_failure(const std::string& entry, const Error& error, bool as_json, Console& console);

}  // namespace tagclip
