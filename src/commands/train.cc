#include "commands/train.h"

#include <c10/util/StringUtil.h>

#include "base/platform.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/run_config.h"

namespace tagclip {
namespace {

std::string describe(const TrainReport& report, int64_t iterations) {
  std::string text =
      c10::str("iteration ", report.iteration, "/", iterations, "  loss ", fixed(report.total, 3),
               " (mask ", fixed(report.mask, 3), " dice ", fixed(report.dice, 3));
  if (report.trusty) text += " trusty " + fixed(*report.trusty, 3);
  if (report.presence) text += " presence " + fixed(*report.presence, 3);
  return text + c10::str(")  lr ", scientific(report.lr, 2), "  ",
                         fixed(report.images_per_second, 1), " images/s");
}

std::string describe(int64_t iteration, const SegmentationMetrics& m) {
  return c10::str("validation at ", iteration, ": pAcc ", percent(m.pixel_accuracy, 2), "  mIoU ",
                  percent(m.mean_iou, 2), "  mIoU(S) ", percent(m.mean_iou_seen, 2), "  mIoU(U) ",
                  percent(m.mean_iou_unseen, 2), "  hIoU ", percent(m.harmonic_iou, 2), "  mAcc ",
                  percent(m.mean_accuracy, 2));
}

}  // namespace

TrainOutcome train_with_progress(const TrainConfig& config, const World& world, Console& console) {
  keep_freed_pages();
  const int64_t last = config.schedule.iterations;
  TrainHooks hooks;
  hooks.on_warning = [&](const std::string& warning) { console.warn(warning); };
  hooks.stop_requested = [&] { return console.stop_requested(); };
  if (!world.is_root()) return train(config, world, hooks);

  hooks.on_start = [&](int64_t done) { note_resumed(config.output, done, last, console); };
  hooks.on_step = [&](const TrainReport& report) {
    if (report.iteration % config.log_every == 0) console.print(describe(report, last));
    console.progress("training", report.iteration, last);
  };
  hooks.on_validation = [&](int64_t iteration, const SegmentationMetrics& metrics) {
    console.print(describe(iteration, metrics));
  };
  const TrainOutcome outcome = train(config, world, hooks);
  const std::string model = std::filesystem::path(config.output) / "model.safetensors";
  console.note(outcome.finished ? c10::str("the model is ", model,
                                           "; try it: tagclip segment PHOTO --weights ", model)
                                : c10::str("stopped and saved at iteration ", outcome.iterations,
                                           "; the same command resumes from there"));
  return outcome;
}

}  // namespace tagclip

int tagclip_train(const tagclip::TrainOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  TrainConfig config;
  FieldList fields = config.fields();
  if (!read_run_config(options, fields, console)) return 0;
  config.check();
  const World world = World::join(std::chrono::seconds(config.rank_timeout));
  if (!train_with_progress(config, world, console).finished) return stopped_exit_code(console);
  return 0;
}
