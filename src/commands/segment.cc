#include <ATen/Parallel.h>

#include <optional>
#include <utility>

#include "commands/commands.h"
#include "commands/run_files.h"
#include "commands/segment_jobs.h"
#include "commands/segment_run.h"
#include "commands/segment_watch.h"
#include "commands/setup.h"
#include "infer/summary.h"
#include "outputs/stored_result.h"
#include "ranks/root_console.h"

namespace tagclip {
namespace {

// A model and words that wait for photos.
class SegmentCommand {
 public:
  SegmentCommand(const SegmentOptions& options, const World& world, Console& console)
      : options_(options),
        outputs_(output_set(options.outputs)),
        world_(world),
        console_(console),
        root_console_(world, console) {
    check_watch_options(options, world);
    check_run_files(options.output, outputs_.formats, options.overwrite);
  }

  int run(const VocabularyRequest& request) {
    if (!options_.watch) {
      // Mistakes are found first: reading the weights takes longer than all of this.
      SegmentPlan plan = plan_jobs(options_, outputs_, world_, root_console_);
      if (!load(request, plan)) return kStopped;
      const int code = segment(plan);
      if (code == kStopped || write_files_of_run(plan)) return code;
      return static_cast<int>(ErrorKind::kBadInput);
    }
    return load(request, {}) ? watch() : kStopped;
  }

 private:
  // Returns false when the user stopped it.
  bool load(const VocabularyRequest& request, const SegmentPlan& plan) {
    pipeline_.emplace(load_pipeline(options_.weights, options_.inference, world_, root_console_));
    vocabulary_ =
        unless_stopped(world_, [&] { return pipeline_->embed(request, hooks_of(root_console_)); });
    if (!vocabulary_) {
      tell_stopped(plan);
      return false;
    }
    made_from_ = pipeline_->made_from(request, *vocabulary_);
    add_made_from(outputs_, made_from_);
    return true;
  }

  void tell_stopped(const SegmentPlan& plan) {
    root_console_.note(
        SegmentTally{.failed = plan.failed}.text("stopped: ", plan.failed + std::ssize(plan.jobs)));
  }

  int segment(SegmentPlan& plan) {
    if (!leave_out_done(options_, outputs_, made_from_, world_, root_console_, plan)) {
      tell_stopped(plan);
      return kStopped;
    }
    create_output_folders(options_);
    if (plan.jobs.empty()) return plan.failed > 0 ? static_cast<int>(ErrorKind::kBadInput) : 0;
    if (options_.encoding.empty() && !std::exchange(is_settled_, true)) {
      const auto photo = [&](int64_t i) {
        return read_photo(plan.jobs[static_cast<size_t>(i)].photo, options_.inference).image;
      };
      settle_precision(*pipeline_, *vocabulary_, {std::ssize(plan.jobs), photo}, world_,
                       root_console_);
    }
    return SegmentRun(options_, outputs_, *pipeline_, *vocabulary_, made_from_, plan, world_,
                      console_)
        .run();
  }

  // Returns false where results of a photo could not be used.
  bool write_files_of_run(const SegmentPlan& plan) {
    if (!needs_labels(outputs_.formats) || !world_.is_root()) return true;
    const OutputRun run =
        output_run(options_.output, *vocabulary_, last_name(options_.weights), outputs_);
    return write_run_files(run, outputs_, made_from_, plan, options_, console_);
  }

  // Segments the photos that are in the folders, and those that come, until the user stops it. The
  // files of all photos are written when none came for a while.
  int watch() {
    WatchedPhotos watched;
    MutedConsole muted(console_);
    bool is_behind = false;  // the files of all photos
    root_console_.note("watching for photos; Ctrl-C ends it");
    while (!console_.stop_requested()) {
      if (std::optional<SegmentPlan> plan = look(muted)) {
        watched.keep_new(*plan);
        if (!plan->jobs.empty()) {
          segment(*plan);
          is_behind = true;
        } else if (std::exchange(is_behind, false)) {
          write_files_of_run(*plan);
        }
      }
      wait_for_photos(console_);
    }
    return kStopped;
  }

  // Returns nothing while there is no photo.
  std::optional<SegmentPlan> look(Console& muted) const {
    try {
      SegmentPlan plan = plan_jobs(options_, outputs_, world_, muted);
      plan.failed = 0;  // entries that are no photos are not counted at every look
      return plan;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
      return {};
    }
  }

  const SegmentOptions& options_;
  const OutputSet outputs_;
  const World& world_;
  Console& console_;
  RootConsole root_console_;
  std::optional<Pipeline> pipeline_;
  std::optional<EmbeddedVocabulary> vocabulary_;
  MadeFrom made_from_;
  bool is_settled_ = false;  // the precision
};

}  // namespace
}  // namespace tagclip

int tagclip_segment(const tagclip::SegmentOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  const VocabularyRequest request = parse_vocabulary(options.vocabulary);
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  const World world = World::join(console);
  return SegmentCommand(options, world, console).run(request);
}
