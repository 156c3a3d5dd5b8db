#include "train/trainer.h"

#include <c10/util/StringUtil.h>

#include "engine/commands.h"
#include "engine/run_config.h"

namespace tagclip {
namespace {

std::string describe(const TrainReport& report, int64_t iterations) {
  std::string text = c10::str("iteration ", report.iteration, "/", iterations, "  loss ",
                              fixed(report.total, 3), " (mask ", fixed(report.mask, 3), " dice ",
                              fixed(report.dice, 3));
  if (report.trusty > 0) text += " trusty " + fixed(report.trusty, 3);
  if (report.presence > 0) text += " presence " + fixed(report.presence, 3);
  return text + c10::str(")  lr ", scientific(report.lr), "  ", fixed(report.images_per_second, 1),
                         " images/s");
}

std::string percent(double fraction) { return fraction == fraction ? fixed(100 * fraction, 2) : "-"; }

std::string describe(int64_t iteration, const SegmentationMetrics& m) {
  return c10::str("validation at ", iteration, ": pAcc ", percent(m.pixel_accuracy), "  mIoU ",
                  percent(m.mean_iou), "  mIoU(S) ", percent(m.mean_iou_seen), "  mIoU(U) ",
                  percent(m.mean_iou_unseen), "  hIoU ", percent(m.harmonic_iou), "  mAcc ",
                  percent(m.mean_accuracy));
}

}  // namespace
}  // namespace tagclip

int tagclip_train(const tagclip::TrainOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  TrainConfig config;
  FieldList fields = config.fields();
  if (!read_run_config(options, fields, console)) return 0;

  TrainHooks hooks;
  hooks.on_step = [&](const TrainReport& report) {
    if (report.iteration % config.log_every == 0) {
      console.print(describe(report, config.schedule.iterations));
    }
    console.progress("training", report.iteration, config.schedule.iterations);
  };
  hooks.on_validation = [&](int64_t iteration, const SegmentationMetrics& metrics) {
    console.print(describe(iteration, metrics));
  };
  hooks.stop_requested = [&] { return console.stop_requested(); };
  const int64_t iteration = train(config, hooks);
  if (iteration < config.schedule.iterations) {
    console.note(c10::str("stopped and saved at iteration ", iteration,
                          "; the same command goes on from there"));
    return kStopped;
  }
  console.note("the model is " + config.output + "/model.safetensors");
  return 0;
}
