#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "image/image.h"

namespace tagclip {

bool is_jpeg(std::span<const std::byte> bytes);

// A JPEG as RGB as it is stored; grey is repeated, CMYK and YCCK are converted without a profile.
// `bytes` start with JPEG's signature, the size in the header is checked against `limits` before
// decoding, `name` stands for the file in messages. Throws Error(kBadInput) for damaged or
// truncated files.
Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name,
                  const ImageLimits& limits);

// The size of the stored image, from the header alone. Throws Error(kBadInput) for a damaged
// header and as check_size.
ImageSize jpeg_size(std::span<const std::byte> bytes, const std::string& name,
                    const ImageLimits& limits);

}  // namespace tagclip
