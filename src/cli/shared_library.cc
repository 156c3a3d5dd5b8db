#include "cli/shared_library.h"

#include <dlfcn.h>

#include <filesystem>

#include "base/error.h"
#include "cli/program_files.h"

namespace tagclip {

namespace {

// Beside the program, or where an installation keeps it.
std::filesystem::path library_path(const std::string& file) {
  const std::filesystem::path installed = program_folder() / "../lib/tagclip" / file;
  return std::filesystem::exists(program_folder() / file) || !std::filesystem::exists(installed)
             ? program_folder() / file
             : installed;
}

}  // namespace

void* library_function(const std::string& role, const std::string& file, const char* name) {
  const std::filesystem::path path = library_path(file);
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
