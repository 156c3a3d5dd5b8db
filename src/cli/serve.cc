#include "serve/serve.h"

#include "cli/command.h"
#include "cli/program_files.h"
#include "cli/setting_options.h"
#include "cli/shared_library.h"

namespace tagclip {

Command serve_command() {
  return {
      "serve", "Serve a page and an HTTP API", [](OptionList& list) -> Action {
        auto options = std::make_shared<ServeOptions>();
        add_weights_option(list, options->weights);
        add_fields(list, fields(*options));
        add_fields(list, fields(options->inference));
        list.footer(
            "Prints its address once it listens; /readyz answers 200 once the model is loaded.\n"
            "What is not listed here is in docs/serve.md, the API in docs/openapi.json.\n"
            "Example: tagclip serve\n"
            "         tagclip serve --host 0.0.0.0 --api-key-file keys.txt");
        return [options](Console& console) {
          options->weights = chosen_weights(options->weights, console);
          return run_in_library(*options, console);
        };
      }};
}

}  // namespace tagclip
