#include "cli/program_files.h"

#include <string>

#include "base/error.h"

namespace tagclip {

std::filesystem::path program_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

std::filesystem::path default_weights() {
  const std::filesystem::path folder = program_folder();
  std::string looked;
  for (const char* place : {"models", "../share/tagclip/models", "../../models"}) {
    const std::filesystem::path path = (folder / place / "mini.safetensors").lexically_normal();
    if (std::filesystem::exists(path)) return path;
    looked += "\n    " + path.string();
  }
  throw bad_input("the small model that ships with tagclip is missing; looked for" + looked,
                  "name a model with --weights");
}

}  // namespace tagclip
