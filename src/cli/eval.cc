#include "cli/command.h"
#include "cli/engine_library.h"
#include "cli/program_files.h"

namespace tagclip {

Command eval_command() {
  return {"eval", "Measure a model on a labelled data set", [](CLI::App& app) -> Action {
    auto options = std::make_shared<EvalOptions>();
    app.add_option("--data", options->data, "Data set folder: images/, labels/, classes.txt, unseen.txt, lists")
        ->required();
    app.add_option("--split", options->split, "Which list of the data set")->capture_default_str();
    app.add_option("-w,--weights", options->weights, "Model; without it the small one that ships with tagclip");
    app.add_option("--weighting", options->weighting, "How the trusty map reweighs the scores")
        ->check(CLI::IsMember({"none", "seen", "unseen", "both"}))
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
    app.add_flag("--json", options->json, "Print a JSON object instead of the table");
    return [options](Console& console) {
      if (options->weights.empty()) options->weights = default_weights();
      return run_engine("tagclip_eval", *options, console);
    };
  }};
}

}  // namespace tagclip
