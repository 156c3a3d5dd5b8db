#pragma once

#include <string>
#include <vector>

#include "cli/options.h"

namespace tagclip {

// The text of --help and of the reference for a command.
struct CommandHelp {
  std::string name;
  std::string summary;
  const OptionList* options;
};

// --help of one command in 80 columns; `program` as in "tagclip segment".
std::string help_text(const std::string& program, const CommandHelp& command);

// --help of a program: its flags, and a line per command, of which `options` is not used.
std::string help_text(const CommandHelp& program, const std::vector<CommandHelp>& commands);

// All commands as a page of Markdown: docs/cli.md.
std::string reference_markdown(const std::string& program,
                               const std::vector<CommandHelp>& commands);

}  // namespace tagclip
