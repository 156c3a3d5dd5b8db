#include "train/pretrain.h"

#include <c10/util/StringUtil.h>

#include "base/text.h"
#include "commands/commands.h"
#include "commands/run_config.h"

namespace tagclip {
namespace {

std::string describe(const PretrainReport& report, int64_t steps) {
  return c10::str("step ", report.step, "/", steps, "  loss ", fixed(report.loss, 4), "  lr ",
                  scientific(report.lr, 2), "  ", fixed(report.images_per_second, 1), " images/s");
}

}  // namespace
}  // namespace tagclip

int tagclip_pretrain(const tagclip::PretrainOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  PretrainConfig config;
  FieldList fields = config.fields();
  if (!read_run_config(options, fields, console)) return 0;

  PretrainHooks hooks;
  hooks.on_start = [&](int64_t done) { note_resumed(config.output, done, config.steps, console); };
  hooks.on_warning = [&](const std::string& warning) { console.warn(warning); };
  hooks.on_step = [&](const PretrainReport& report) {
    if (report.step % config.log_every == 0) console.print(describe(report, config.steps));
    console.progress("pretraining", report.step, config.steps);
  };
  hooks.stop_requested = [&] { return console.stop_requested(); };
  const int64_t step = pretrain(config, hooks);
  if (step < config.steps) {
    console.note(
        c10::str("stopped and saved at step ", step, "; the same command resumes from there"));
    return stopped_exit_code(console);
  }
  const std::string clip = std::filesystem::path(config.output) / "clip.safetensors";
  console.note(c10::str("the CLIP is ", clip, "; next: tagclip train CONFIG --set clip=", clip));
  return 0;
}
