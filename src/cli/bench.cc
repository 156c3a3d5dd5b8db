#include "cli/command.h"
#include "cli/engine_library.h"
#include "cli/option_checks.h"

namespace tagclip {

namespace {

void add_common_options(CLI::App& app, BenchOptions& options) {
  app.add_option("WHAT", options.what,
                 "What to measure. Beside plain LibTorch: segment, train-step, kernels (the blend "
                 "of inference, the mask losses), all of these. Alone: loader, scaling, turns")
      ->check(one_of({"segment", "train-step", "kernels", "all", "loader", "scaling", "turns"}))
      ->capture_default_str();
  CLI::Option* model =
      app.add_option("--model", options.model,
                     "Random weights of a ViT-B/16 at 512: voc = 20 classes, 10 prompts; coco = "
                     "171, 100")
          ->check(one_of({"voc", "coco", "all"}))
          ->capture_default_str();
  app.add_option("-w,--weights", options.weights,
                 "Measure this model instead, asked for the classes it was trained on")
      ->type_name("FILE")
      ->check(not_empty())
      ->excludes(model);
  app.add_option("--threads", options.threads, "Processor threads; 0 = all")
      ->check(whole_number(0, 1024));
  app.add_option("--runs", options.runs,
                 "Measured runs of segment after one to warm up; the others get half as many, "
                 "rounded up")
      ->check(whole_number(1, 1000))
      ->capture_default_str();
  app.add_option("--floors", options.floors,
                 "Fail where a ratio is under its floor in this file by more than the noise")
      ->type_name("FILE")
      ->check(not_empty());
  app.add_flag("--json", options.json, "Print a JSON object instead of the table");
}

void add_loader_options(CLI::App& app, BenchOptions& options) {
  app.add_option("--data", options.data,
                 "Of loader: a data set folder, whose training samples one core makes")
      ->type_name("FOLDER");
  app.add_option("--split", options.split, "Of loader: which list of its photos")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--samples", options.samples, "Of loader: how many to make")
      ->check(whole_number(1, 1000000))
      ->capture_default_str();
}

void add_other_options(CLI::App& app, BenchOptions& options) {
  app.add_option("--by", options.by,
                 "Of scaling: what to vary. classes: words asked of an encoded photo; side: of a "
                 "photo, shrunk to one window; windows: the same, none shrunk; batch, threads: of "
                 "encoding and of training")
      ->check(one_of({"classes", "side", "windows", "batch", "threads"}))
      ->capture_default_str();
  app.add_option("--precision", options.precision,
                 "Of scaling and turns: what photos are encoded in; segment measures all that "
                 "run here")
      ->check(one_of({"float32", "bfloat16x3", "bfloat16", "int8"}))
      ->capture_default_str();
  app.add_option("--text-embeddings", options.text_embeddings,
                 "Of turns, which segments --photo once for every line on standard input: the "
                 "classes, as tagclip embed writes them")
      ->type_name("FILE")
      ->check(not_empty());
  app.add_option("--photo", options.photo, "Of turns: what to segment")
      ->type_name("FILE")
      ->check(not_empty());
}

}  // namespace

Command bench_command() {
  return {"bench", "Measure speed and memory beside plain LibTorch", [](CLI::App& app) -> Action {
            auto options = std::make_shared<BenchOptions>();
            add_common_options(app, *options);
            add_loader_options(app, *options);
            add_other_options(app, *options);
            return [options](Console& console) {
              return run_engine("tagclip_bench", *options, console);
            };
          }};
}

}  // namespace tagclip
