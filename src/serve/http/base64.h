#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tagclip {

// Reads what base/base64.h writes; nothing where the text is not just that.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace tagclip
