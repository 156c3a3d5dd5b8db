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
        // The set's photos are as large as they are.
        add_fields(list, fields(options->inference).without({"max_pixels"}));
        list.add_option(
                "-c,--classes", options->vocabulary.classes,
                "What to look for instead of the names of the set's classes: a list, or a file, "
                "with an entry per class in their order")
            ->type_name("TEXT");
        add_fields(list, fields(options->vocabulary)
                             .only({"prompt", "background", "synonyms", "text_embeddings"}));
        list.add_option(
                "--distractors", options->distractors,
                "More words to look for (or a file), which the set has no labels for: pixels "
                "that get one are wrong")
            ->type_name("TEXT");
        list.add_flag("--boundary", options->boundary, "Measure boundary F, too");
        list.add_flag(
            "--calibrate", options->calibrate,
            "Measure how far scores can be believed, and leave MODEL.calibration.json beside "
            "the weights, which makes them as sure as they proved right");
        list.add_flag("--json", options->json, "Print a JSON object instead of the table");
        list.footer(
            "A model that tells how it was trained is measured so: kind of the set and label 0,\n"
            "split of the classes and prompt templates, unless options say otherwise. States of\n"
            "a running training (checkpoints/iteration_N.safetensors) can be measured, too. A\n"
            "class that no pixel of the split is labelled with counts as IoU 0 where the model\n"
            "predicts it anywhere, and is left out of the means where it does not.\n"
            "Example: tagclip eval --data msrc21 --weights runs/msrc21/model.safetensors");
        return [options](Console& console) {
          options->weights = chosen_weights(options->weights, console);
          return run_in_library(*options, console);
        };
      }};
}

}  // namespace tagclip
