#pragma once

#include "base/console.h"
#include "commands/segment_jobs.h"

namespace tagclip {

// Writes the files that are about all photos of a run, such as COCO's JSON, from the label and
// class files of the plan's whole list: of those photos that have them, made as `made_from` says,
// whichever process segmented them. Returns whether all could be used: one whose files are broken
// is reported and left out. Writes nothing where the user stops it. Throws as RunFiles.
bool write_run_files(const OutputRun& run, const OutputSet& outputs, const MadeFrom& made_from,
                     const SegmentPlan& plan, const SegmentOptions& options, Console& console);

}  // namespace tagclip
