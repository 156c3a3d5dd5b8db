#include "cli/command.h"
#include "cli/engine_library.h"
#include "cli/program_files.h"

namespace tagclip {

Command segment_command() {
  return {"segment", "Name every pixel of photos with your own words", [](CLI::App& app) -> Action {
    auto options = std::make_shared<SegmentOptions>();
    app.add_option("INPUT", options->inputs, "Photos, folders, globs; - reads a list from standard input")
        ->required();
    app.add_option("-c,--classes", options->classes,
                   "Words (\"cat, grass, sky\") or a file with one class a line, synonyms separated by "
                   "commas; without it the classes the model was trained on");
    app.add_option("--prompt", options->prompt,
                   "Prompt templates: single, multi, a file with one a line, or one holding {}");
    app.add_option("-o,--output", options->output, "Folder for the results")->capture_default_str();
    app.add_option("-w,--weights", options->weights, "Model; without it the small one that ships with tagclip");
    app.add_option("--weighting", options->weighting, "How the trusty map reweighs the scores")
        ->check(CLI::IsMember({"none", "seen", "unseen", "both"}))
        ->capture_default_str();
    app.add_option("--threshold", options->threshold, "Pixels with a lower score stay unlabelled")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    app.add_option("--device", options->device, "Where to compute")
        ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
        ->capture_default_str();
    app.add_option("--short-side", options->short_side,
                   "Photos are scaled to this short side; 0 = the model's own size")
        ->check(CLI::Range(0, 16384));
    app.add_option("--window", options->window, "Side of the sliding window; 0 = the model's own size")
        ->check(CLI::Range(0, 16384));
    app.add_option("--stride", options->stride, "Step of the sliding window; 0 = 426/512 of the window")
        ->check(CLI::Range(0, 16384));
    app.add_option("--max-pixels", options->max_pixels, "Larger photos are refused")
        ->check(CLI::Range(1L, 1L << 40))
        ->capture_default_str();
    app.add_option("--threads", options->threads, "Processor threads; 0 = all")->check(CLI::Range(0, 1024));
    app.add_flag("--overwrite", options->overwrite, "Replace results that exist already");
    app.add_flag("--json", options->json, "One JSON object a photo on standard output");
    return [options](Console& console) {
      if (options->weights.empty()) options->weights = default_weights();
      return run_engine("tagclip_segment", *options, console);
    };
  }};
}

}  // namespace tagclip
