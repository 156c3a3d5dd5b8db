#include "commands/setup.h"

#include <fmt/format.h>

#include <cmath>

#include "base/files.h"
#include "train/run_folder.h"

namespace tagclip {

Hooks hooks_of(Console& console) {
  return {.progress = [&console](const std::string& what, int64_t done,
                                 int64_t total) { console.progress(what, done, total); },
          .stop_requested = [&console] { return console.stop_requested(); },
          .note = [&console](const std::string& text) { console.note(text); },
          .warn = [&console](const std::string& text) { console.warn(text); }};
}

Pipeline load_pipeline(const std::filesystem::path& weights, const InferenceOptions& options,
                       const World& world, Console& console) {
  const at::Device device = world.local_device(choose_device(options.device));
  const bool may_be_trained = options.mode == Mode::kTrained || options.mode == Mode::kAuto;
  if (may_be_trained && is_saved_state(weights)) {
    const auto warn = [&](const std::string& warning) { console.warn(warning); };
    console.note(weights.string() + " is a saved state of a run: its CLIP is read, too");
    return {load_saved_state(weights, warn), weights.string(), options, device};
  }
  Pipeline pipeline(weights, options, device);
  for (const std::string& note : pipeline.notes()) console.note(note);
  if (const std::string& assumption = pipeline.assumption(); !assumption.empty()) {
    console.warn(fmt::format("{}: {}", weights.string(), assumption));
  }
  return pipeline;
}

void settle_precision(Pipeline& pipeline, const EmbeddedVocabulary& vocabulary,
                      const PhotoSource& photos, const World& world, Console& console) {
  if (pipeline.precision()) return;
  double chosen = 0;
  if (world.is_root()) {
    chosen = static_cast<double>(pipeline.choose_precision(vocabulary, photos, hooks_of(console)));
  }
  pipeline.use_precision(static_cast<GemmPrecision>(std::lround(world.all_reduce_sum(chosen))));
}

void check_free(const std::filesystem::path& file, bool overwrite) {
  if (overwrite || !is_taken(file)) return;
  throw failure(file.string() + ": exists already",
                "set `overwrite` to replace it, or choose another name");
}

}  // namespace tagclip
