#include "cli/command.h"
#include "cli/engine_library.h"
#include "cli/option_checks.h"

namespace tagclip {

Command bench_command() {
  return {"bench", "Measure speed and memory beside plain LibTorch", [](CLI::App& app) -> Action {
            auto options = std::make_shared<BenchOptions>();
            app.add_option("WHAT", options->what,
                           "What to measure; all is the first three; kernels are the blend of "
                           "inference and the mask losses")
                ->check(one_of({"segment", "train-step", "kernels", "all", "loader"}))
                ->capture_default_str();
            CLI::Option* model =
                app.add_option("--model", options->model,
                               "Random weights of a ViT-B/16 at 512: voc = 20 classes, 10 prompts; "
                               "coco = 171, 100")
                    ->check(one_of({"voc", "coco", "all"}))
                    ->capture_default_str();
            app.add_option("-w,--weights", options->weights,
                           "Measure this model instead, asked for the classes it was trained on")
                ->type_name("FILE")
                ->check(not_empty())
                ->excludes(model);
            app.add_option("--threads", options->threads, "Processor threads; 0 = all")
                ->type_name("N")
                ->check(whole_number(0, 1024));
            app.add_option("--runs", options->runs,
                           "Measured runs of segment after one to warm up; the others get half as "
                           "many, rounded up")
                ->check(whole_number(1, 1000))
                ->capture_default_str();
            app.add_option("--data", options->data,
                           "Of loader: a data set folder, whose training samples one core makes")
                ->type_name("FOLDER");
            app.add_option("--split", options->split, "Of loader: which list of its photos")
                ->type_name("NAME")
                ->capture_default_str();
            app.add_option("--samples", options->samples, "Of loader: how many to make")
                ->check(whole_number(1, 1000000))
                ->capture_default_str();
            app.add_flag("--json", options->json, "Print a JSON object instead of the table");
            return [options](Console& console) {
              return run_engine("tagclip_bench", *options, console);
            };
          }};
}

}  // namespace tagclip
