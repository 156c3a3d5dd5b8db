#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/console.h"
#include "fetch/sha256.h"
#include "fetch/table.h"

namespace tagclip {

// Bytes so far of how many, in MiB.
void show_progress(Console& console, const std::string& label, int64_t done, int64_t total);

// What is wrong with these bytes where `expected` says otherwise: "it has 5 bytes, 7 are expected";
// nothing when all that is published agrees.
std::optional<std::string> mismatch(const CheckpointFile& expected, int64_t size,
                                    const std::string& sha256);

// The same of a file on the disk, which is read for it unless its size is wrong already. Throws
// Stopped; Error(kBadInput) when it cannot be read.
std::optional<std::string> mismatch(const CheckpointFile& expected,
                                    const std::filesystem::path& path, Console& console);

}  // namespace tagclip
