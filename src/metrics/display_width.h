#pragma once

#include <cstddef>
#include <string_view>

namespace tagclip {

// Columns a UTF-8 text takes in a terminal: wide East Asian letters and emoji two, combining marks
// none. A byte that is not UTF-8 takes one.
size_t display_width(std::string_view text);

}  // namespace tagclip
