#pragma once

#include "base/console.h"
#include "cli/shared_library.h"
#include "commands/commands.h"

namespace tagclip {

// Runs the engine's function of that name, as declared in engine/commands.h.
template <class Options>
int run_engine(const char* name, const Options& options, Console& console) {
  return run_from("the engine", "libtagclip_commands.so", name, options, console);
}

}  // namespace tagclip
