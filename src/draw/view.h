#pragma once

#include "data/geometry.h"

namespace tagclip {

// The photo at a size to look at: averaged down, or enlarged smoothly.
Image view_of(const Image& photo, Size size);

}  // namespace tagclip
