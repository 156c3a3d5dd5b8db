#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tagclip {

// Base64 with padding and without line breaks (RFC 4648, section 4).
std::string to_base64(std::span<const std::byte> bytes);
// Nothing where the text is not just that.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace tagclip
