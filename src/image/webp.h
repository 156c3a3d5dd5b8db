#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "image/image.h"

namespace tagclip {

bool is_webp(std::span<const std::byte> bytes);

// A still WebP as it is stored; alpha is dropped. `bytes` start with WebP's signature, the size in
// the header is checked against `limits` before decoding, `name` stands for the file in messages.
// Throws Error(kBadInput) for damaged or truncated files and for animations.
Image decode_webp(std::span<const std::byte> bytes, const std::string& name,
                  const ImageLimits& limits);

// The size of the stored image, from the header alone. Throws Error(kBadInput) for a damaged header
// and as check_size.
ImageSize webp_size(std::span<const std::byte> bytes, const std::string& name,
                    const ImageLimits& limits);

// A lossy WebP, a tenth of the size of a photo's PNG. `quality`: 0 to 100. Sides are at most 16383
// pixels. Throws Error(kFailure) when libwebp gives up.
std::vector<std::byte> encode_lossy_webp(const Image& image, float quality);

}  // namespace tagclip
