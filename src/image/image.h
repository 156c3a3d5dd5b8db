#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tagclip {

// A photo: 8-bit RGB, rows top to bottom, pixels interleaved.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> pixels;  // [height, width, 3]
  // A sentence that begins with the file's name, where it was read but is not as it should be:
  // callers pass it on to the user. Usually empty.
  std::string warning = {};

  size_t size() const { return static_cast<size_t>(width) * height; }
  bool empty() const { return pixels.empty(); }
};

// Limits on what a file may ask for: a small file can describe an image that fills the memory.
struct ImageLimits {
  int64_t max_pixels = 64LL << 20;  // width x height in the header, checked before decoding
};

// Decodes JPEG, PNG or WebP, recognised by their first bytes. Any colour type becomes 8-bit RGB:
// grey is repeated, alpha is dropped, 16-bit keeps the high byte, CMYK and YCCK are converted; EXIF
// orientation is applied. JPEG pixels are those of libjpeg-turbo with its default settings, as
// OpenCV and Pillow decode. A file that lacks nothing but its end mark is read with a warning.
// `name` stands for the file in messages. Throws Error(kBadInput) when the bytes are empty, not an
// image, one of another format or kind (named, with what to do), damaged or truncated (never a
// partly decoded image), an animated WebP, or larger than `limits`.
Image decode_image(std::span<const std::byte> bytes, const std::string& name,
                   const ImageLimits& limits = {});

// Reads and decodes a file of at most 512 MiB. Throws as decode_image, and when the file cannot be
// read.
Image read_image(const std::filesystem::path& path, const ImageLimits& limits = {});

struct ImageSize {
  int width = 0, height = 0;
};

// The size of the upright image, without a look at its pixels. Nothing for a file that is neither
// JPEG nor PNG. Throws
// Error(kBadInput) for files that cannot be read, broken headers, and as check_size.
std::optional<ImageSize> read_upright_size(const std::filesystem::path& path,
                                           const ImageLimits& limits = {});

// --- What the decoders share ---

bool starts_with(std::span<const std::byte> bytes, std::string_view magic);

// Throws Error(kBadInput) when the size in a header is empty or beyond `limits`.
void check_size(const std::string& name, int64_t width, int64_t height, const ImageLimits& limits);

// A black image for a decoder to fill.
Image blank_image(int64_t width, int64_t height);

// "photo.jpg: truncated or damaged JPEG: <reason>"
Error damaged(const std::string& name, std::string_view format, std::string_view reason);

}  // namespace tagclip
