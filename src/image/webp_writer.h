#pragma once

#include <cstddef>
#include <vector>

#include "image/image.h"

namespace tagclip {

// A lossy WebP, a tenth of the size of a photo's PNG. `quality`: 0 to 100. Sides are at most 16383
// pixels. Throws Error(kFailure) when libwebp gives up.
std::vector<std::byte> encode_lossy_webp(const Image& image, float quality);

}  // namespace tagclip
