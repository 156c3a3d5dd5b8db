#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace tagclip {

// What to do with a file that is no JPEG, PNG or WebP: the command that makes a PNG of it, where
// its first bytes tell which.
std::string conversion_hint(std::span<const std::byte> bytes);

}  // namespace tagclip
