#include "cli/command.h"
#include "cli/program_files.h"
#include "cli/shared_library.h"
#include "commands/commands.h"

namespace tagclip {

Command experiment_command() {
  return {
      "experiment", "Train all runs of a table or figure of the paper",
      [](OptionList& list) -> Action {
        auto options = std::make_shared<ExperimentOptions>();
        list.add_option("NAME", options->name, "table1, table2, table3, table4, table5 or figure5")
            ->required();
        list.add_option("CONFIG", options->config,
                        "TOML file with what the runs have in common, as for train; without it the "
                        "reduced runs of configs/msrc21-reduced.toml, from the small model's CLIP")
            ->check(not_empty());
        list.add_option("--data", options->data, "Data set folder, instead of the config's")
            ->type_name("FOLDER");
        list.add_option(
                "--set", options->overrides,
                "Change a setting of all runs, none that defines one of them; a run where it "
                "could have no effect goes without it")
            ->type_name("NAME=VALUE");
        list.add_option("--only", options->only, "Only these runs, by their labels (see --list)")
            ->type_name("LABEL,...")
            ->comma_separated();
        list.add_option("--seeds", options->seeds,
                        "How often each is run: with the config's seed, the next one, ...")
            ->type_name("NUMBER")
            ->check(whole_number(1, 1000))
            ->show_default();
        list.add_option("-o,--output", options->output, "Folder of the runs; default: runs/NAME")
            ->type_name("FOLDER");
        list.add_flag("--list", options->list, "Print the runs and what sets them apart, and stop");
        list.footer(
            "Example: tagclip experiment table1 --data msrc21 --seeds 3\n"
            "The same command goes on where it was stopped, and prints the table at the end.");
        return [options](Console& console) {
          if (options->output.empty()) options->output = "runs/" + options->name;
          if (options->config.empty()) {
            options->config = shipped_config("msrc21-reduced.toml");
            options->overrides.insert(options->overrides.begin(),
                                      "clip=" + shipped_weights("mini").string());
          }
          return run_in_library(*options, console);
        };
      }};
}

}  // namespace tagclip
