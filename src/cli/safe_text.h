#pragma once

#include <string>
#include <string_view>

namespace tagclip {

// UTF-8 of a stranger, such as a file's name, as it may stand in a terminal: ? in place of control
// characters but line feeds and tabs.
std::string safe_text(std::string_view text);

}  // namespace tagclip
