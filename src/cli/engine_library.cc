#include "cli/engine_library.h"

#include <dlfcn.h>

#include <filesystem>

#include "cli/program_files.h"

namespace tagclip {

void* engine_function(const char* name) {
  const std::filesystem::path path = program_folder() / "libtagclip_engine.so";
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw failure(std::string("cannot load the engine: ") + ::dlerror(),
                  "keep libtagclip_engine.so beside the program, or run make build again");
  }
  void* function = ::dlsym(library, name);
  if (function == nullptr) {
    throw failure(path.string() + " is of another version: " + name + " is missing",
                  "run make build again");
  }
  return function;
}

}  // namespace tagclip
