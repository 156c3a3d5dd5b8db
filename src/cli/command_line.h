#pragma once

#include <string>
#include <vector>

#include "cli/options.h"

namespace tagclip {

// Reads the words of a command line into the targets of `options`. `command` is what messages call
// the command: "tagclip" or "tagclip segment". Where `help`, the target of one of the flags, is set
// by them, nothing else is checked or stored. Throws Error(kUsage) for a word that is not expected
// (naming the option a mistyped one may be meant for), and for a value that is missing, required,
// not allowed, or given twice.
void parse_command_line(const std::string& command, OptionList& options, const bool& help,
                        std::vector<std::string> words);

// The same of the flags before a program's command: stops at the first word that is no option, and
// returns this word and all after it.
std::vector<std::string> parse_leading_flags(const std::string& program, OptionList& flags,
                                             std::vector<std::string> words);

}  // namespace tagclip
