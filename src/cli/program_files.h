#pragma once

#include <filesystem>
#include <string>

#include "base/console.h"

namespace tagclip {

// The folder the running program lies in.
std::filesystem::path program_folder();

// The model that ships with the program: models/mini.safetensors beside the program, in an
// installation's share/tagclip, or in the source tree the program was built in. Throws
// Error(kBadInput) listing where it was looked for.
std::filesystem::path shipped_weights();

// The weights a command is to use: those the user named; "mini" is the shipped model; where none is
// named ViT-B-16, if `tagclip fetch` has brought it, and else the shipped model. The console is
// told which of these it is, and how to get better ones. Throws as shipped_weights.
std::filesystem::path chosen_weights(const std::filesystem::path& named, Console& console);

// A config that ships with the program, by its name in configs/; found and thrown as above.
std::filesystem::path shipped_config(const std::string& name);

}  // namespace tagclip
