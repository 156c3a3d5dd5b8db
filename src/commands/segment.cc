#include <ATen/Parallel.h>

#include "commands/commands.h"
#include "commands/segment_jobs.h"
#include "commands/segment_run.h"
#include "commands/setup.h"
#include "ranks/root_console.h"

int tagclip_segment(const tagclip::SegmentOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  // Mistakes are found first: reading the weights takes longer than all of this.
  const VocabularyRequest request = parse_vocabulary(options.vocabulary);
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  const World world = World::join(console);
  RootConsole root_console(world, console);
  SegmentPlan plan = plan_jobs(options, world, root_console);

  Pipeline pipeline = load_pipeline(options.weights, options.inference, world, root_console);
  const auto stopped = [&] {
    root_console.note(
        SegmentTally{.failed = plan.failed}.text("stopped: ", plan.failed + std::ssize(plan.jobs)));
    return kStopped;
  };
  const auto vocabulary =
      unless_stopped(world, [&] { return pipeline.embed(request, hooks_of(root_console)); });
  if (!vocabulary) return stopped();
  const MadeFrom made_from = pipeline.made_from(request, *vocabulary);
  if (!leave_out_done(options, made_from, world, root_console, plan)) return stopped();
  if (options.encoding.empty()) {
    const auto photo = [&](int64_t i) {
      return read_photo(plan.jobs[i].photo, options.inference).image;
    };
    settle_precision(pipeline, *vocabulary, {std::ssize(plan.jobs), photo}, world, root_console);
  }
  create_output_folders(options);
  return SegmentRun(options, pipeline, *vocabulary, made_from, plan, world, console).run();
}
