#include "commands/train.h"

#include <fmt/format.h>

#include "base/platform.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/run_config.h"

namespace tagclip {
namespace {

std::string describe(const TrainReport& report, int64_t iterations) {
  std::string text =
      fmt::format("iteration {}/{}  loss {} (mask {} dice {}", report.iteration, iterations,
                  fixed(report.total, 3), fixed(report.mask, 3), fixed(report.dice, 3));
  if (report.trusty) text += " trusty " + fixed(*report.trusty, 3);
  if (report.presence) text += " presence " + fixed(*report.presence, 3);
  return text + fmt::format(")  lr {}  {} images/s", scientific(report.lr, 2),
                            fixed(report.images_per_second, 1));
}

std::string describe(const SegmentationMetrics& m) {
  return fmt::format("pAcc {}  mIoU {}  mIoU(S) {}  mIoU(U) {}  hIoU {}  mAcc {}",
                     percent(m.pixel_accuracy, 2), percent(m.mean_iou, 2),
                     percent(m.mean_iou_seen, 2), percent(m.mean_iou_unseen, 2),
                     percent(m.harmonic_iou, 2), percent(m.mean_accuracy, 2));
}

// Of several data sets a line each, below that of their means.
std::string describe(int64_t iteration, const Validation& validation) {
  std::string text = fmt::format("validation at {}: {}", iteration, describe(validation.metrics));
  if (validation.sets.empty()) return text;
  text += fmt::format("  (means of {} data sets)", validation.sets.size());
  for (const auto& [name, metrics] : validation.sets) {
    text += fmt::format("\n  {}: {}", name, describe(metrics));
  }
  return text;
}

}  // namespace

TrainOutcome train_with_progress(const TrainConfig& config, const World& world, Console& console) {
  keep_freed_pages();
  const int64_t last = config.schedule.iterations;
  TrainHooks hooks;
  hooks.on_warning = [&](const std::string& warning) { console.warn(warning); };
  hooks.stop_requested = [&] { return console.stop_requested(); };
  if (!world.is_root()) return train(config, world, hooks);

  hooks.on_note = [&](const std::string& note) { console.note(note); };
  hooks.on_check = [&](int64_t done, int64_t all) {
    console.progress("checking files", done, all);
  };
  hooks.on_start = [&](int64_t done) { note_resumed(config.output, done, last, console); };
  hooks.on_step = [&](const TrainReport& report) {
    if (report.iteration % config.log_every == 0) console.print(describe(report, last));
    console.progress("training", report.iteration, last);
  };
  hooks.on_validation = [&](int64_t iteration, const Validation& validation) {
    console.print(describe(iteration, validation));
  };
  const TrainOutcome outcome = train(config, world, hooks);
  const std::string model = std::filesystem::path(config.output) / "model.safetensors";
  console.note(
      outcome.finished
          ? fmt::format("the model is {}; try it: tagclip segment PHOTO --weights {}", model, model)
          : fmt::format("stopped and saved at iteration {}; the same command resumes from there",
                        outcome.iterations));
  return outcome;
}

}  // namespace tagclip

int tagclip_train(const tagclip::TrainOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  TrainConfig config;
  if (!read_run_config(options, config, console)) return 0;
  config.check();
  return unless_stopped_early(console, [&] {
    const World world = World::join(console, std::chrono::seconds(config.rank_timeout));
    const bool finished = train_with_progress(config, world, console).finished;
    return finished ? 0 : stopped_exit_code(console);
  });
}
