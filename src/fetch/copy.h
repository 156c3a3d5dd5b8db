#pragma once

#include <filesystem>

#include "base/console.h"
#include "fetch/table.h"

namespace tagclip {

// Copies a file the user brought to `target`, which appears whole and checked or not at all.
// Throws Stopped; Error(kBadInput) where it cannot be read or is not what is expected;
// Error(kFailure) where the copy cannot be written.
void copy_checked(const CheckpointFile& expected, const std::filesystem::path& source,
                  const std::filesystem::path& target, Console& console);

}  // namespace tagclip
