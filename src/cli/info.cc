#include "cli/info.h"

#include "cli/command.h"
#include "cli/weights_report.h"
#include "cli/weights_summary.h"

namespace tagclip {

int run_info(const InfoOptions& options, Console& console) {
  const StoredWeights weights = read_stored_weights(options.file);
  const WeightsSummary summary = summarise(weights);
  console.print(options.json ? to_json(weights, summary, options.tensors)
                             : format_report(weights, summary, options.tensors));
  return 0;
}

Command info_command() {
  return {"info", "Tell what a file of weights holds", [](OptionList& list) -> Action {
            auto options = std::make_shared<InfoOptions>();
            list.add_option("FILE", options->file,
                            "Weights: safetensors, a PyTorch file, or a model's folder")
                ->type_name("")
                ->required();
            list.add_flag("--tensors", options->tensors,
                          "List every tensor with its type and shape");
            list.add_flag("--json", options->json, "Print a JSON object instead of the text");
            return [options](Console& console) { return run_info(*options, console); };
          }};
}

}  // namespace tagclip
