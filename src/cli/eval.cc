#include "cli/command.h"
#include "cli/dataset_options.h"
#include "cli/engine_library.h"
#include "cli/model_options.h"
#include "cli/program_files.h"

namespace tagclip {

Command eval_command() {
  return {
      "eval", "Measure a model on a labelled data set", [](CLI::App& app) -> Action {
        auto options = std::make_shared<EvalOptions>();
        app.add_option("--data", options->data.folder, "Data set")->type_name("FOLDER")->required();
        app.add_option("--split", options->split, "Which list of the data set")
            ->type_name("NAME")
            ->capture_default_str();
        add_dataset_options(app, options->data);
        add_model_options(app, *options);
        add_precision_option(app, *options, "float32");
        add_windowing_options(app, *options);
        add_prompt_option(app, options->prompt);
        app.add_flag("--json", options->json, "Print a JSON object instead of the table");
        app.footer("Example: tagclip eval --data msrc21 --weights runs/msrc21/model.safetensors");
        return [options](Console& console) {
          if (options->weights.empty()) options->weights = default_weights();
          return run_engine("tagclip_eval", *options, console);
        };
      }};
}

}  // namespace tagclip
