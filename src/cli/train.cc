#include "cli/command.h"
#include "cli/shared_library.h"
#include "commands/commands.h"

namespace tagclip {
namespace {

template <class Options>
Action declare(OptionList& list) {
  auto options = std::make_shared<Options>();
  list.add_option("CONFIG", options->config,
                  "TOML file with settings of the run; the others have their defaults")
      ->check(not_empty());
  list.add_option("--set", options->overrides, "Change a setting, for example optimizer.lr=1e-4")
      ->type_name("NAME=VALUE");
  list.add_flag("--print-config", options->print_config,
                "Print every setting with its meaning, and stop");
  list.footer(
      "A run whose output folder holds one of the same settings goes on where that one\n"
      "was; one process at a time may write there. Ctrl-C, SIGTERM and SIGUSR1 save and\n"
      "stop. Paths in CONFIG are relative to that file; output and those of --set are\n"
      "relative to where tagclip runs.");
  return [options](Console& console) { return run_in_library(*options, console); };
}

}  // namespace

Command train_command() {
  return {"train", "Train a segmentation model on labelled photos", declare<TrainOptions>};
}

Command pretrain_command() {
  return {"pretrain", "Train a CLIP from scratch on captioned photos", declare<PretrainOptions>};
}

}  // namespace tagclip
