#include "cli/command.h"
#include "cli/engine_library.h"
#include "cli/option_checks.h"
#include "cli/program_files.h"

namespace tagclip {

Command experiment_command() {
  return {
      "experiment", "Train all runs of a table or figure of the paper",
      [](CLI::App& app) -> Action {
        auto options = std::make_shared<ExperimentOptions>();
        app.add_option("NAME", options->name, "table1, table2, table3, table4, table5 or figure5")
            ->required();
        app.add_option("CONFIG", options->config,
                       "TOML file with what the runs have in common, as for train; without it the "
                       "reduced runs of configs/msrc21-reduced.toml, from the small model's CLIP")
            ->check(not_empty());
        app.add_option("--data", options->data, "Data set folder, instead of the config's")
            ->type_name("FOLDER");
        app.add_option("--set", options->overrides,
                       "Change a setting of all runs, none that defines one of them")
            ->type_name("NAME=VALUE")
            ->take_all()
            ->expected(1)
            ->allow_extra_args(false);
        app.add_option("--only", options->only, "Only these runs, by their labels (see --list)")
            ->type_name("LABEL,...")
            ->delimiter(',');
        app.add_option("--seeds", options->seeds,
                       "How often each is run: with the config's seed, the next one, ...")
            ->type_name("NUMBER")
            ->check(CLI::Range(int64_t{1}, int64_t{1000}))
            ->capture_default_str();
        app.add_option("-o,--output", options->output, "Folder of the runs; default: runs/NAME")
            ->type_name("FOLDER");
        app.add_flag("--list", options->list, "Print the runs and what sets them apart, and stop");
        app.footer(
            "Example: tagclip experiment table1 --data msrc21 --seeds 3\n"
            "The same command goes on where it was stopped, and prints the table at the end.");
        return [options](Console& console) {
          if (options->output.empty()) options->output = "runs/" + options->name;
          if (options->config.empty()) {
            options->config = shipped_config("msrc21-reduced.toml");
            options->overrides.insert(options->overrides.begin(),
                                      "clip=" + default_weights().string());
          }
          return run_engine("tagclip_experiment", *options, console);
        };
      }};
}

}  // namespace tagclip
