#pragma once

#include <cstdint>
#include <map>

#include "commands/segment_jobs.h"

namespace tagclip {

// Tells the photos that are new in a folder, time after time.
class WatchedPhotos {
 public:
  // Leaves in the plan the jobs whose photos were not handed out before, or have another size
  // since, and have had the same size at two looks: others are still being written.
  void keep_new(SegmentPlan& plan);

 private:
  struct Seen {
    uint64_t size = 0;
    bool is_handed_out = false;
  };
  std::map<std::filesystem::path, Seen> seen_;
};

// Passes on nothing but the wish to stop: what has been said about a folder is not said again at
// every look at it.
class MutedConsole : public Console {
 public:
  explicit MutedConsole(const Console& console) : console_(console) {}

  void print(std::string_view /*line*/) override {}
  void note(std::string_view /*line*/) override {}
  void warn(std::string_view /*line*/) override {}
  void progress(std::string_view /*label*/, int64_t /*done*/, int64_t /*total*/) override {}
  StopReason stop_reason() const override { return console_.stop_reason(); }

 private:
  const Console& console_;
};

// Waits until it is worth looking again, or the user stops it.
void wait_for_photos(const Console& console);

// Throws Error(kUsage) where the options do not go together with `watch`, or name what is no
// folder.
void check_watch_options(const SegmentOptions& options, const World& world);

}  // namespace tagclip
