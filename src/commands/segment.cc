#include <ATen/Parallel.h>

#include "base/error.h"
#include "commands/commands.h"
#include "commands/segment_jobs.h"
#include "commands/segment_run.h"
#include "commands/setup.h"
#include "ranks/root_console.h"

namespace tagclip {
namespace {

void create_folder(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) {
    throw failure(folder.string() + ": the folder cannot be created: " + problem.message(),
                  "set `output` to another one");
  }
}

}  // namespace
}  // namespace tagclip

int tagclip_segment(const tagclip::SegmentOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  // Mistakes are found first: reading the weights takes longer than all of this.
  const VocabularyRequest request = parse_vocabulary(options.vocabulary);
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  const World world = World::join(console);
  RootConsole root_console(world, console);
  const std::vector<SegmentJob> jobs = plan_jobs(options, world, root_console);

  Pipeline pipeline = load_pipeline(options.weights, options.inference, world, root_console);
  const auto vocabulary =
      unless_stopped(world, [&] { return pipeline.embed(request, hooks_of(root_console)); });
  if (!vocabulary) return kStopped;
  if (options.encoding.empty()) {
    const auto photo = [&](int64_t i) {
      return read_image(jobs[i].photo, {.max_pixels = options.inference.max_pixels});
    };
    settle_precision(pipeline, *vocabulary, {std::ssize(jobs), photo}, world, root_console);
  }
  create_folder(options.output);
  if (!options.save_encoding.empty()) create_folder(options.save_encoding);
  return SegmentRun(options, pipeline, *vocabulary, jobs, world, console).run();
}
