#include "train/pretrain.h"

#include <fmt/format.h>

#include "base/platform.h"
#include "base/text.h"
#include "commands/commands.h"
#include "commands/run_config.h"
#include "train/pretrain_log.h"

namespace tagclip {
namespace {

std::string describe(const PretrainReport& report, int64_t steps) {
  const PretrainLosses& losses = report.losses;
  std::string text = fmt::format("step {}/{}  loss {}", report.step, steps, fixed(losses.total, 4));
  const auto add = [&](const char* name, const std::optional<double>& value) {
    if (value) text += fmt::format("  {} {}", name, fixed(*value, 4));
  };
  // Where there is only one, it is the loss.
  if (losses.names || losses.labels) {
    add("contrastive", losses.contrastive);
    add("names", losses.names);
    add("labels", losses.labels);
  }
  return text + fmt::format("  lr {}  {} images/s", scientific(report.lr, 2),
                            fixed(report.images_per_second, 1));
}

std::string describe(int64_t step, const PretrainMetrics& metrics) {
  std::string text = fmt::format("validation at {}:", step);
  for (const auto& [name, value] : named_values(metrics)) {
    text += fmt::format("  {} {}", name, fixed(value, 2));
  }
  return text;
}

}  // namespace
}  // namespace tagclip

int tagclip_pretrain(const tagclip::PretrainOptions& options, tagclip::Console& console) {
  using namespace tagclip;
  keep_freed_pages();
  PretrainConfig config;
  if (!read_run_config(options, config, console)) return 0;

  PretrainHooks hooks;
  hooks.on_start = [&](int64_t done) { note_resumed(config.output, done, config.steps, console); };
  hooks.on_note = [&](const std::string& note) { console.note(note); };
  hooks.on_warning = [&](const std::string& warning) { console.warn(warning); };
  hooks.on_step = [&](const PretrainReport& report) {
    if (report.step % config.log_every == 0) console.print(describe(report, config.steps));
    console.progress("pretraining", report.step, config.steps);
  };
  hooks.on_validation = [&](int64_t step, const PretrainMetrics& metrics) {
    console.print(describe(step, metrics));
  };
  hooks.stop_requested = [&] { return console.stop_requested(); };
  const int64_t step = pretrain(config, hooks);
  if (step < config.steps) {
    console.note(
        fmt::format("stopped and saved at step {}; the same command resumes from there", step));
    return stopped_exit_code(console);
  }
  const std::string clip = std::filesystem::path(config.output) / "clip.safetensors";
  const bool segments = config.loss.labels > 0;
  console.note(
      fmt::format("the CLIP is {0}; next: {1}tagclip train CONFIG --set clip={0}", clip,
                  segments ? fmt::format("tagclip segment PHOTO --weights {}, or ", clip) : ""));
  return 0;
}
