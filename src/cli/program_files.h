#pragma once

#include <filesystem>
#include <string>

namespace tagclip {

// The folder the running program lies in.
std::filesystem::path program_folder();

// The model that ships with the program: models/mini.safetensors beside the program, in an
// installation's share/tagclip, or in the source tree the program was built in. Throws
// Error(kBadInput) listing where it was looked for.
std::filesystem::path default_weights();

// A config that ships with the program, by its name in configs/; found and thrown as above.
std::filesystem::path shipped_config(const std::string& name);

}  // namespace tagclip
