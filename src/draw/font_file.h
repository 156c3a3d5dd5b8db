#pragma once

#include <cstddef>
#include <span>

namespace tagclip {

// DejaVuSans.ttf as it was on the machine that compiled this, part of the program.
std::span<const unsigned char> embedded_font();

}  // namespace tagclip
