#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "image/image.h"

namespace tagclip {

// The decoders behind decode_image, one a format. Each takes bytes that start with the format's
// signature, checks the header against `limits` before decoding, applies the EXIF orientation and
// throws Error(kBadInput) for damaged or truncated files.
Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name,
                  const ImageLimits& limits);
Image decode_png(std::span<const std::byte> bytes, const std::string& name,
                 const ImageLimits& limits);
Image decode_webp(std::span<const std::byte> bytes, const std::string& name,
                  const ImageLimits& limits);

bool is_jpeg(std::span<const std::byte> bytes);
bool is_png(std::span<const std::byte> bytes);
bool is_webp(std::span<const std::byte> bytes);

// Throws Error(kBadInput) when the size in a header is empty or beyond `limits`.
void check_size(const std::string& name, int64_t width, int64_t height, const ImageLimits& limits);

// A black picture for a decoder to fill.
Image blank_image(int64_t width, int64_t height);

// "photo.jpg: truncated or damaged JPEG: <reason>"
Error damaged(const std::string& name, std::string_view format, std::string_view reason);

}  // namespace tagclip
