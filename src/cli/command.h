#pragma once

#include <functional>
#include <string>

#include "base/console.h"
#include "cli/options.h"

namespace tagclip {

// The work of a command once its options are read; returns the exit code.
using Action = std::function<int(Console&)>;

// One command of the program. `declare` adds its options and returns its action.
struct Command {
  std::string name;
  std::string summary;
  std::function<Action(OptionList&)> declare;
};

// Each is in the file of its name.
Command segment_command();
Command data_command();
Command eval_command();
Command train_command();
Command pretrain_command();
Command report_command();
Command experiment_command();
Command verify_command();
Command info_command();
Command convert_command();
Command video_command();
Command embed_command();
Command export_command();
Command serve_command();
Command fetch_command();
Command doctor_command();
Command tokenize_command();

}  // namespace tagclip
