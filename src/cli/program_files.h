#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/console.h"

namespace tagclip {

// The folder the running program lies in.
std::filesystem::path program_folder();

// The models that ship with the program (models/README.md). The first is the default.
inline constexpr std::array<std::string_view, 2> kShippedModels = {"everyday", "mini"};

// One of them: models/NAME.safetensors beside the program, in an installation's share/tagclip, or
// in the source tree the program was built in. Throws Error(kBadInput) listing where it was looked
// for.
std::filesystem::path shipped_weights(std::string_view name = kShippedModels.front());

// The CLIP that is used by default once `tagclip fetch` has put it into the cache folder.
inline constexpr const char* kFetchedDefault = "ViT-B-16.pt";

// The weights a command is to use: those the user named, by a path or by the name of a shipped
// model; where none is named ViT-B-16, if `tagclip fetch` has brought it, and else the first that
// ships. The console is told which of these it is, and how to get others. Throws as
// shipped_weights.
std::filesystem::path chosen_weights(const std::filesystem::path& named, Console& console);

// A config that ships with the program, by its name in configs/; found and thrown as above.
std::filesystem::path shipped_config(const std::string& name);

}  // namespace tagclip
