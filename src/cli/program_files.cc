#include "cli/program_files.h"

#include <fmt/format.h>

#include <string>

#include "base/error.h"
#include "base/files.h"

namespace tagclip {
namespace {

// Looks in `folder` beside the program, in an installation, or in the source tree.
std::filesystem::path find_shipped(const std::string& folder, const std::string& name,
                                   const std::string& what, const std::string& advice) {
  const std::filesystem::path program = program_folder();
  std::string looked;
  for (const char* place : {"", "../share/tagclip", "../.."}) {
    const auto path = (program / place / folder / name).lexically_normal();
    if (path_exists(path)) return path;
    looked += "\n    " + path.string();
  }
  throw bad_input(what + " that ships with tagclip is missing; looked for" + looked, advice);
}

}  // namespace

std::filesystem::path program_folder() { return link_target("/proc/self/exe").parent_path(); }

std::filesystem::path shipped_weights(std::string_view name) {
  return find_shipped("models", fmt::format("{}.safetensors", name),
                      fmt::format("the model \"{}\"", name), "name a model with --weights");
}

std::filesystem::path chosen_weights(const std::filesystem::path& named, Console& console) {
  for (const std::string_view name : kShippedModels) {
    if (named == name) return shipped_weights(name);
  }
  if (!named.empty()) return named;
  std::filesystem::path fetched = cache_folder() / kFetchedDefault;
  if (path_exists(fetched)) {
    console.note("the model is ViT-B-16, which was fetched; --weights everyday is one that ships");
    return fetched;
  }
  console.note(
      "the model is the small one that ships, which knows everyday words (models/README.md); "
      "`tagclip fetch ViT-B-16` brings one that knows many more, which is used from then on");
  return shipped_weights();
}

std::filesystem::path shipped_config(const std::string& name) {
  return find_shipped("configs", name, "the config " + name, "name a config of your own");
}

}  // namespace tagclip
