#include "cli/shared_library.h"

#include <dlfcn.h>

#include <filesystem>

#include "base/error.h"
#include "cli/program_files.h"

namespace tagclip {

void* library_function(const std::string& role, const std::string& file, const char* name) {
  const std::filesystem::path path = program_folder() / file;
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw failure("cannot load " + role + ": " + ::dlerror(),
                  "keep " + file + " beside the program, or run make build again");
  }
  void* function = ::dlsym(library, name);
  if (function == nullptr) {
    throw failure(path.string() + " is of another version: " + name + " is missing",
                  "run make build again");
  }
  return function;
}

}  // namespace tagclip
