#include "train/pretrain.h"

#include <fmt/format.h>

#include "base/text.h"
#include "commands/commands.h"
#include "commands/run_config.h"

namespace tagclip {
namespace {

std::string describe(const PretrainReport& report, int64_t steps) {
  return fmt::format("step {}/{}  loss {}  lr {}  {} images/s", report.step, steps,
                     fixed(report.loss, 4), scientific(report.lr, 2),
                     fixed(report.images_per_second, 1));
}

}  // namespace
}  // namespace tagclip

int tagclip_pretrain(const tagclip::PretrainOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  PretrainConfig config;
  if (!read_run_config(options, config, console)) return 0;

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
        fmt::format("stopped and saved at step {}; the same command resumes from there", step));
    return stopped_exit_code(console);
  }
  const std::string clip = std::filesystem::path(config.output) / "clip.safetensors";
  console.note(fmt::format("the CLIP is {}; next: tagclip train CONFIG --set clip={}", clip, clip));
  return 0;
}
