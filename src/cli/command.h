#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "base/console.h"

namespace tagclip {

// What a command does once its options are read; returns the exit code.
using Action = std::function<int(Console&)>;

// One command of the program. `declare` adds its options to the parser and returns its action.
struct Command {
  std::string name;
  std::string summary;
  std::function<Action(CLI::App&)> declare;
};

// One file each.
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
Command embed_command();
Command fetch_command();
Command tokenize_command();
Command bench_command();

}  // namespace tagclip
