#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "fetch/table.h"

namespace tagclip {

// The file or folder a checkpoint is, or will be, in `folder`.
std::filesystem::path path_in(const std::filesystem::path& folder, const Checkpoint& checkpoint);

// The bytes of a checkpoint that is kept there, 0 when it is not. Says nothing about its content.
int64_t kept_bytes(const std::filesystem::path& folder, const Checkpoint& checkpoint);

// Throws Error(kFailure) unless the disk of `folder` has room for `bytes` more.
void check_room(const std::filesystem::path& folder, int64_t bytes);

// "335.0 MiB"
std::string format_bytes(int64_t bytes);

}  // namespace tagclip
