// tagclip_bench COMMAND [OPTIONS]: this is the table of commands and their options.

#include <memory>

#include "bench/commands.h"
#include "cli/program.h"

namespace tagclip::bench {
namespace {

void add_model_choice(OptionList& list, WorkloadOptions& choice) {
  Option* model =
      list.add_option("--model", choice.model,
                      "Random weights of a ViT-B/16 at 512: voc = 20 classes, 10 prompts; coco = "
                      "171, 100")
          ->check(one_of({"voc", "coco", "all"}))
          ->show_default();
  list.add_option("-w,--weights", choice.weights,
                  "Measure this model instead, asked for the classes it was trained on")
      ->type_name("FILE")
      ->check(not_empty())
      ->excludes(model);
}

void add_threads(OptionList& list, int64_t& threads) {
  list.add_option("--threads", threads, "Processor threads; 0 = all")->check(whole_number(0, 1024));
}

void add_runs(OptionList& list, int64_t& runs, const char* meaning) {
  list.add_option("--runs", runs, meaning)->check(whole_number(1, 1000))->show_default();
}

void add_json(OptionList& list, bool& json) {
  list.add_flag("--json", json, "Print a JSON object instead of the table");
}

void add_precision(OptionList& list, std::string& precision) {
  list.add_option("--precision", precision, "What the image encoder computes in")
      ->check(one_of({"float32", "bfloat16x3", "bfloat16", "int8"}))
      ->show_default();
}

// Adds a file that must be given.
void add_file(OptionList& list, const char* name, std::filesystem::path& file,
              const char* meaning) {
  list.add_option(name, file, meaning)->type_name("FILE")->required()->check(not_empty());
}

Command comparison(const char* task, const char* summary) {
  return {task, summary, [task](OptionList& list) -> Action {
            auto options = std::make_shared<ComparisonOptions>();
            options->task = task;
            add_model_choice(list, *options);
            add_threads(list, options->threads);
            add_runs(list, options->runs,
                     "Measured runs of segment after one to warm up; the others get half as many, "
                     "rounded up");
            list.add_option("--floors", options->floors,
                            "Fail where a ratio is under its floor in this file by more than the "
                            "noise")
                ->type_name("FILE")
                ->check(not_empty());
            add_json(list, options->json);
            return [options](Console& console) { return run_comparison(*options, console); };
          }};
}

Command trusty_token() {
  return {"trusty-token", "What the trusty token adds to parameters and time",
          [](OptionList& list) -> Action {
            auto options = std::make_shared<TokenCostOptions>();
            add_model_choice(list, *options);
            add_precision(list, options->precision);
            add_threads(list, options->threads);
            add_runs(list, options->runs,
                     "Measured pairs of runs, with the token and without, after one to warm up; "
                     "train steps get half as many, rounded up");
            add_json(list, options->json);
            return [options](Console& console) { return run_token_cost(*options, console); };
          }};
}

Command scaling() {
  return {"scaling", "How time and memory grow with classes, side, windows, batch or threads",
          [](OptionList& list) -> Action {
            auto options = std::make_shared<ScalingOptions>();
            list.add_option("--by", options->by,
                            "What to vary. classes: words asked of an encoded photo; side: of a "
                            "photo, shrunk to one window; windows: the same, none shrunk; batch, "
                            "threads: of encoding and of training")
                ->check(one_of({"classes", "side", "windows", "batch", "threads"}))
                ->show_default();
            add_model_choice(list, *options);
            add_precision(list, options->precision);
            add_threads(list, options->threads);
            add_runs(list, options->runs,
                     "Measured runs of a point after one to warm up; train steps get half as many");
            add_json(list, options->json);
            return [options](Console& console) { return run_scaling(*options, console); };
          }};
}

Command loader() {
  return {"loader", "Training samples per second of one core", [](OptionList& list) -> Action {
            auto options = std::make_shared<LoaderSpeedOptions>();
            list.add_option("--data", options->data, "A data set folder")
                ->type_name("FOLDER")
                ->required()
                ->check(not_empty());
            list.add_option("--split", options->split, "Which list of its photos")
                ->type_name("NAME")
                ->show_default();
            list.add_option("--samples", options->samples, "How many samples to make")
                ->check(whole_number(1, 1000000))
                ->show_default();
            add_json(list, options->json);
            return [options](Console& console) { return run_loader(*options, console); };
          }};
}

Command interleaved() {
  return {"interleaved",
          "Segment a photo once per line of standard input, for other programs to time",
          [](OptionList& list) -> Action {
            auto options = std::make_shared<InterleavedOptions>();
            add_file(list, "-w,--weights", options->weights, "The model");
            add_file(list, "--text-embeddings", options->text_embeddings,
                     "The classes, as tagclip embed writes them");
            add_file(list, "--photo", options->photo, "What to segment");
            add_precision(list, options->precision);
            add_threads(list, options->threads);
            return [options](Console& console) { return run_interleaved(*options, console); };
          }};
}

Command modes() {
  return {"modes", "The modes of a CLIP as it is, beside each other",
          [](OptionList& list) -> Action {
            auto options = std::make_shared<ModesOptions>();
            list.add_option("-w,--weights", options->weights,
                            "A CLIP; without it ViT-B/16 with random weights")
                ->type_name("FILE")
                ->check(not_empty());
            add_precision(list, options->precision);
            add_threads(list, options->threads);
            add_runs(list, options->runs, "Measured pairs of runs of a mode and of sclip");
            add_json(list, options->json);
            return [options](Console& console) { return run_modes(*options, console); };
          }};
}

Command precisions() {
  return {"precisions", "Which number formats this processor multiplies in, and by what",
          [](OptionList& list) -> Action {
            auto options = std::make_shared<PrecisionsOptions>();
            add_json(list, options->json);
            return [options](Console& console) { return run_precisions(*options, console); };
          }};
}

}  // namespace
}  // namespace tagclip::bench

int main(int argc, char** argv) {
  using namespace tagclip::bench;
  return tagclip::run_program(
      {.name = "tagclip_bench",
       .summary = "Speed and memory of tagclip beside plain LibTorch.",
       .commands = {comparison("all", "The next three together"),
                    comparison("segment", "A photo of one window to its label map"),
                    comparison("train-step", "A training step on two photos"),
                    comparison("kernels", "The blend of inference and the mask losses"),
                    trusty_token(), modes(), scaling(), loader(), interleaved(), precisions()}},
      argc, argv);
}
