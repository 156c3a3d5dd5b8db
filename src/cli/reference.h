#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace tagclip {

// docs/cli.md, made from the option lists themselves.
std::string reference_markdown(const CLI::App& app);

}  // namespace tagclip
