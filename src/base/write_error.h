#pragma once

#include <filesystem>

#include "base/error.h"

namespace tagclip {

// What to tell when the system refuses to write `path` with `error`, a value of errno.
Error cannot_write(const std::filesystem::path& path, int error);
// The same for a folder that cannot be made.
Error cannot_create_folder(const std::filesystem::path& folder, int error);

}  // namespace tagclip
