#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/command.h"

namespace tagclip {

// A program of several commands: tagclip, and the benchmarks' tagclip_bench.
struct Program {
  std::string name;
  std::string summary;
  std::vector<Command> commands;                  // in the order of --help
  std::map<std::string, std::string> hints = {};  // for first words that are no command
};

// Reads the command line, runs the command it names, and turns every error into a message on
// standard error. Returns the exit code: the command's, or the kind of the error (base/error.h).
int run_program(const Program& program, int argc, char** argv);

}  // namespace tagclip
