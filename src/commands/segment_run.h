#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/console.h"
#include "commands/commands.h"
#include "commands/image_prefetcher.h"
#include "commands/segment_jobs.h"
#include "infer/outputs.h"
#include "infer/pipeline.h"
#include "ranks/root_console.h"
#include "ranks/world.h"

namespace tagclip {

// Seconds that one photo took, or several together.
struct PhotoTimes {
  double read = 0, write = 0;
  StageTimes compute;

  double total() const { return read + compute.total() + write; }
  PhotoTimes& operator+=(const PhotoTimes& other);
};

// The number of photos per outcome.
struct SegmentTally {
  int64_t done = 0, failed = 0;
  PhotoTimes times;  // of those done

  int64_t tried() const { return done + failed; }
  // "<before>3 done, 1 failed, 6 left", of `total` in all.
  std::string text(const std::string& before, int64_t total) const;
};

// Segments the photos of all jobs and writes their outputs. The ranks share the jobs: rank r of n
// takes the jobs r, r + n, r + 2n, ...
class SegmentRun {
 public:
  // All arguments must outlive it.
  SegmentRun(const SegmentOptions& options, const OutputSet& outputs, Pipeline& pipeline,
             const EmbeddedVocabulary& vocabulary, const MadeFrom& made_from,
             const SegmentPlan& plan, const World& world, Console& console);
  ~SegmentRun();

  // Returns the exit code, the same on all ranks. A photo that cannot be used is reported and
  // skipped; any other error ends the run, after what was done has been told.
  int run();

 private:
  SegmentTally work();
  void work_until_meeting();
  int64_t job_index(int64_t own) const { return world_.rank() + own * world_.size(); }
  int64_t next_job() const { return job_index(begun_); }
  void prefetch();
  void show_progress();
  struct Segmented;

  template <class Action>
  void attempt(const SegmentJob& job, const Action& action);
  std::unique_ptr<Segmented> segment(const SegmentJob& job);
  PhotoResult result_of(const Segmented& done) const;
  void begin_writing(std::unique_ptr<Segmented> done);
  void finish_writing();
  PreparedPhoto prepare(const SegmentJob& job);
  void save_encoding(const SegmentJob& job, const PreparedPhoto& photo);
  // Returns the tallies of all ranks as far as they are known, with the entries that failed before.
  SegmentTally known() const;
  void report(const SegmentTally& all, const std::string& before);
  std::string json_line(const SegmentJob& job, const PhotoResult& result,
                        const PhotoTimes& times) const;

  const SegmentOptions& options_;
  const OutputSet& outputs_;
  const OutputRun output_run_;
  Pipeline& pipeline_;
  const EmbeddedVocabulary& vocabulary_;
  const MadeFrom& made_from_;
  const std::vector<SegmentJob>& jobs_;
  const int64_t total_;
  const int64_t failed_before_;
  const World& world_;
  Console& console_;
  RootConsole root_console_;
  ImagePrefetcher prefetcher_;
  int64_t begun_ = 0;    // own photos that were segmented, or could not be
  int64_t fetched_ = 0;  // own photos that were given to the prefetcher
  SegmentTally own_;
  SegmentTally elsewhere_;              // of the other ranks at the last meeting
  std::unique_ptr<Segmented> written_;  // while it is
  std::future<void> writing_;
};

}  // namespace tagclip
