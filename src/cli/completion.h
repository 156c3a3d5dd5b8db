#pragma once

#include <string>
#include <vector>

#include "cli/help.h"

namespace tagclip {

// The shells that completion_script knows.
inline const std::vector<std::string> kShells = {"bash", "zsh", "fish"};

// A script that tells a shell the commands, their options and the words that options take.
std::string completion_script(const std::string& shell, const std::string& program,
                              const std::vector<CommandHelp>& commands);

// The manual page, section 1, of the same lists.
std::string manual_page(const CommandHelp& program, const std::string& version,
                        const std::vector<CommandHelp>& commands);

}  // namespace tagclip
