#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tagclip {

// Returns the bytes in base64 with padding (RFC 4648, section 4).
std::string to_base64(std::span<const std::byte> bytes);

// Returns the bytes of what to_base64 writes; nothing where the text has another character, a line
// break among them, or its length is no multiple of 4.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace tagclip
