#include "cli/info.h"

#include "cli/command.h"
#include "cli/weights_report.h"
#include "cli/weights_summary.h"

namespace tagclip {

int run_info(const InfoOptions& options, Console& console) {
  const SafetensorsFile file = SafetensorsFile::open(options.file);
  const WeightsSummary summary = summarise(file);
  console.print(options.json ? to_json(file, summary, options.tensors)
                             : format_report(file, summary, options.tensors));
  return 0;
}

Command info_command() {
  return {"info", "Tell what a file of weights holds", [](CLI::App& app) -> Action {
            auto options = std::make_shared<InfoOptions>();
            app.add_option("file", options->file, "A safetensors file")->required();
            app.add_flag("--tensors", options->tensors,
                         "List every tensor with its type and shape");
            app.add_flag("--json", options->json, "Print a JSON object instead of the text");
            return [options](Console& console) { return run_info(*options, console); };
          }};
}

}  // namespace tagclip
