#include "cli/command.h"
#include "cli/program_files.h"
#include "cli/setting_options.h"
#include "cli/shared_library.h"
#include "commands/commands.h"

namespace tagclip {

Command export_command() {
  return {"export", "Write a model as ONNX, with the words as an input",
          [](OptionList& list) -> Action {
            auto options = std::make_shared<ExportOptions>();
            list.add_option("OUT", options->output,
                            "An .onnx file; weights that exceed 2 GB go beside it as OUT.data")
                ->type_name("")
                ->check(not_empty())
                ->required();
            add_weights_option(list, options->weights);
            list.add_flag("--parts", options->parts,
                          "Write two files instead, NAME.encoder.onnx and NAME.decoder.onnx: "
                          "photos are encoded once, and asked for many words");
            list.add_flag("--external-data", options->external_data,
                          "Put weights beside the file, as OUT.data, even where they do not exceed "
                          "2 GB");
            list.add_option("--precision", options->precision,
                            "Number format of weights and matrix products; sums, norms, inputs and "
                            "outputs are float32")
                ->check(one_of({"float32", "float16"}))
                ->show_default();
            add_fields(
                list, fields(options->inference)
                          .only({"mode", "logit_scale", "weighting", "seen_bias", "trusty_token"}));
            list.add_flag("--overwrite", options->overwrite, "Replace files that exist already");
            list.footer(
                "Embeddings of words for it: tagclip embed. What its inputs, outputs and metadata "
                "are: docs/onnx.md.\n"
                "Example: tagclip export model.onnx\n"
                "         tagclip export naclip.onnx -w ViT-B-16.pt --mode naclip --parts");
            return [options](Console& console) {
              options->weights = chosen_weights(options->weights, console);
              return run_in_library(*options, console);
            };
          }};
}

}  // namespace tagclip
