#pragma once

#include <string>

#include "base/console.h"

namespace tagclip {

// What is too slow to start with every command lies in shared libraries beside the program. Loads
// one and looks up a function. `role` is what to call the library in messages. Throws
// Error(kFailure) saying why it cannot be loaded.
void* library_function(const std::string& role, const std::string& file, const char* name);

// Runs a function of the form int(const Options&, Console&).
template <class Options>
int run_from(const std::string& role, const std::string& file, const char* name,
             const Options& options, Console& console) {
  using Function = int (*)(const Options&, Console&);
  return reinterpret_cast<Function>(library_function(role, file, name))(options, console);
}

}  // namespace tagclip
