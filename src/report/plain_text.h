#pragma once

#include <string>
#include <string_view>

namespace tagclip {

// A stranger's text as one line of UTF-8 without control characters.
std::string one_line(std::string_view text);

// The same as the name of something: an ellipsis after 80 bytes.
std::string short_name(std::string_view text);

}  // namespace tagclip
