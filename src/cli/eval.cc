#include "cli/command.h"
#include "cli/dataset_options.h"
#include "cli/program_files.h"
#include "cli/setting_options.h"
#include "cli/shared_library.h"
#include "commands/commands.h"

namespace tagclip {

Command eval_command() {
  return {
      "eval", "Measure a model on a labelled data set", [](OptionList& list) -> Action {
        auto options = std::make_shared<EvalOptions>();
        list.add_option("--data", options->data.folder, "Data set")
            ->type_name("FOLDER")
            ->required();
        list.add_option("--split", options->split, "Which list of the data set")
            ->type_name("NAME")
            ->show_default();
        add_dataset_options(list, options->data);
        add_weights_option(list, options->weights);
        // All pixels are judged, whatever their scores; the set's photos are as large as they are.
        add_fields(list, fields(options->inference).without({"threshold", "max_pixels"}));
        add_fields(list, fields(options->vocabulary).only({"prompt"}));
        list.add_flag("--json", options->json, "Print a JSON object instead of the table");
        list.footer(
            "A model that tells how it was trained is measured so: kind of the set and label 0,\n"
            "split of the classes and prompt templates, unless options say otherwise. States of\n"
            "a running training (checkpoints/iteration_N.safetensors) can be measured, too. A\n"
            "class that no pixel of the split is labelled with counts as IoU 0 where the model\n"
            "predicts it anywhere, and is left out of the means where it does not.\n"
            "Example: tagclip eval --data msrc21 --weights runs/msrc21/model.safetensors");
        return [options](Console& console) {
          if (options->weights.empty()) options->weights = default_weights();
          return run_in_library(*options, console);
        };
      }};
}

}  // namespace tagclip
