#pragma once

#include <CLI/CLI.hpp>

#include "base/error.h"

namespace tagclip {

// What CLI11 found wrong with the command line, in our words: an Error(kUsage) that suggests the
// option a mistyped one was meant to be. `app` is the one that was parsing.
Error explain(const CLI::App& app, const CLI::ParseError& error);

}  // namespace tagclip
