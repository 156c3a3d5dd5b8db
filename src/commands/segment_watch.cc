#include "commands/segment_watch.h"

#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/files.h"

namespace tagclip {

void WatchedPhotos::keep_new(SegmentPlan& plan) {
  std::erase_if(plan.jobs, [&](const SegmentJob& job) {
    const uint64_t size = path_status(job.photo).size;
    const auto [known, is_new] = seen_.try_emplace(job.photo, Seen{.size = size});
    Seen& seen = known->second;
    const bool stands_still = !is_new && seen.size == size;
    if (!stands_still) {
      seen = {.size = size};
      return true;
    }
    if (seen.is_handed_out) return true;
    seen.is_handed_out = true;
    return false;
  });
}

void wait_for_photos(const Console& console) {
  constexpr int kLooks = 10;
  constexpr std::chrono::milliseconds kPause(100);
  for (int i = 0; i < kLooks && !console.stop_requested(); ++i) std::this_thread::sleep_for(kPause);
}

void check_watch_options(const SegmentOptions& options, const World& world) {
  if (!options.watch) return;
  if (!world.is_single() || options.shards > 1) {
    throw usage_error("`watch` is for one process that does all photos",
                      "leave out `shard`, and start the program once");
  }
  for (const std::string& input : options.inputs) {
    if (path_status(input).kind == PathKind::kFolder) continue;
    throw usage_error(input + " is no folder, and `watch` looks for photos that come into folders",
                      "name the folders to watch");
  }
}

}  // namespace tagclip
