#pragma once

#include "base/entry_point.h"

namespace tagclip {

// Loads a library that lies beside the program, or where an installation keeps it, and looks up the
// function. Throws Error(kFailure) where it cannot be loaded or is of another build than the
// program.
void* library_function(const EntryPoint& entry);

// Runs a command in the library that has it: what is too slow to start with the program.
template <class Options>
int run_in_library(const Options& options, Console& console) {
  static_assert(kEntryPoint<Options>.function != nullptr, "declare it by TAGCLIP_ENTRY_POINT");
  using Function = int (*)(const Options&, Console&);
  return reinterpret_cast<Function>(library_function(kEntryPoint<Options>))(options, console);
}

}  // namespace tagclip
