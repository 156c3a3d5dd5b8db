#pragma once

#include <filesystem>

namespace tagclip {

// The root of the source tree.
std::filesystem::path source_folder();

// Reference data kept outside the repository. Tests that need it skip where it is missing.
std::filesystem::path shared_folder();

}  // namespace tagclip
