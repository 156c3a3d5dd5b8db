#include "cli/command.h"
#include "cli/shared_library.h"
#include "commands/commands.h"

namespace tagclip {

Command verify_command() {
  return {
      "verify", "Compare a model with reference values, tensor by tensor",
      [](OptionList& list) -> Action {
        auto options = std::make_shared<VerifyOptions>();
        list.add_option("--weights", options->weights, "The model's weights, in any dialect")
            ->type_name("FILE")
            ->required();
        list.add_option("--expected", options->expected,
                        "Inputs and expected values, safetensors: in.*, vision.*, decoder.*, "
                        "train.*, grad.*, infer.*")
            ->type_name("FILE")
            ->required();
        list.add_option("--inputs", options->inputs,
                        "The file that holds the inputs in.*, where --expected does not; by "
                        "default the one beside it of the same seed and model")
            ->type_name("FILE");
        list.add_option("--arch", options->architecture,
                        "tagclip, zegclip or zegclip-released; else as the files say")
            ->check(one_of({"tagclip", "zegclip", "zegclip-released"}));
        list.add_option("--tolerance", options->tolerance, "Of forward values, absolute")
            ->show_default();
        list.add_option("--loss-tolerance", options->loss_tolerance, "Of losses, relative")
            ->show_default();
        list.add_option("--grad-atol", options->gradient_absolute, "Of gradients, absolute part")
            ->show_default();
        list.add_option("--grad-rtol", options->gradient_relative, "Of gradients, relative part")
            ->show_default();
        list.add_flag("--json", options->json, "Print a JSON object instead of the table");
        return [options](Console& console) { return run_in_library(*options, console); };
      }};
}

}  // namespace tagclip
