#include "cli/command.h"
#include "cli/program_files.h"
#include "cli/setting_options.h"
#include "cli/shared_library.h"
#include "commands/commands.h"

namespace tagclip {

Command embed_command() {
  return {"embed", "Write the text embeddings of words", [](OptionList& list) -> Action {
            auto options = std::make_shared<EmbedCommandOptions>();
            list.add_option("-o,--output", options->output,
                            "Where they go: .npy, with the class list beside it as .txt, or "
                            ".safetensors")
                ->type_name("FILE")
                ->check(not_empty())
                ->required();
            add_fields(list, fields(options->vocabulary).only({"classes", "prompt", "no_cache"}));
            add_weights_option(list, options->weights);
            add_fields(
                list,
                fields(options->inference).only({"device", "mode", "text_weights", "logit_scale"}));
            list.add_option(
                    "--tune", options->tune,
                    "Choose each class's templates on the photos of a folder, which need no "
                    "labels: those that are surest where they see it (FLOSS)")
                ->type_name("FOLDER");
            list.add_flag("--overwrite", options->overwrite, "Replace a file that exists already");
            list.footer(
                "-c - reads the words from standard input, as from a file.\n"
                "Example: tagclip embed --classes words.txt -o words.npy\n"
                "         tagclip segment photo.jpg --text-embeddings words.npy");
            return [options](Console& console) {
              options->weights = chosen_weights(options->weights, console);
              read_words_from_stdin(options->vocabulary, /*taken=*/false);
              return run_in_library(*options, console);
            };
          }};
}

}  // namespace tagclip
