#pragma once

#include <string>
#include <string_view>

namespace tagclip {

// A name out of a file, in quotes, cut and escaped so that it is safe to print.
std::string printable(std::string_view name);

}  // namespace tagclip
