#pragma once

#include "base/console.h"
#include "base/error.h"
#include "engine/commands.h"

namespace tagclip {

// Loads the engine (a shared library beside the program) and looks up one of its functions.
// Throws Error(kFailure) saying why it cannot be loaded.
void* engine_function(const char* name);

// Runs the engine's function of that name, as declared in engine/commands.h.
template <class Options>
int run_engine(const char* name, const Options& options, Console& console) {
  return reinterpret_cast<int (*)(const Options&, Console&)>(engine_function(name))(options,
                                                                                    console);
}

}  // namespace tagclip
