#include "cli/shared_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "cli/program_files.h"

namespace tagclip {
namespace {

std::filesystem::path library_path(const std::string& file) {
  const std::filesystem::path installed = program_folder() / "../lib/tagclip" / file;
  return path_exists(program_folder() / file) || !path_exists(installed)
             ? program_folder() / file
             : installed.lexically_normal();
}

// By default a thread of GNU OpenMP that waits for the others spins for milliseconds. Where the
// machine does other things, too, it so keeps the processor from the very threads that it waits
// for, and a photo takes up to twenty times as long (docs/performance.md). OpenMP reads this once,
// when LibTorch is loaded.
void let_waiting_threads_sleep() {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) ::setenv("GOMP_SPINCOUNT", "1000", /*replace=*/0);
}

// Throws where the library was built from other headers than this program: its functions would take
// our options for something else.
void check_interface(void* library, const std::string& path) {
  const auto theirs =
      reinterpret_cast<decltype(&tagclip_interface)>(::dlsym(library, "tagclip_interface"));
  const std::string found = theirs == nullptr ? "an unknown one" : theirs();
  if (found == TAGCLIP_INTERFACE) return;
  throw failure(path + " is of another build: its interface is " + found + ", the program's " +
                    TAGCLIP_INTERFACE,
                "install program and libraries of one build together, or run make build again");
}

}  // namespace

void* library_function(const EntryPoint& entry) {
  const std::string path = library_path(entry.library).string();
  let_waiting_threads_sleep();
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw failure(std::string("cannot load ") + entry.library + ": " + ::dlerror(),
                  "keep it beside the program, or run make build again");
  }
  check_interface(library, path);
  void* function = ::dlsym(library, entry.function);
  TAGCLIP_CHECK(function != nullptr, path + " lacks " + entry.function);
  return function;
}

}  // namespace tagclip
