#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace tagclip {

// Base64 with padding and without line breaks (RFC 4648, section 4).
std::string to_base64(std::span<const std::byte> bytes);

}  // namespace tagclip
