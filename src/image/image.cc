#include "image/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/files.h"
#include "image/exif.h"
#include "image/jpeg.h"
#include "image/other_formats.h"
#include "image/png.h"
#include "image/webp.h"
#include "io/file_signature.h"

namespace tagclip {

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) {
  if (bytes.size() < magic.size()) return false;
  return std::ranges::equal(bytes.first(magic.size()), std::as_bytes(std::span(magic)));
}

void check_size(const std::string& name, int64_t width, int64_t height, const ImageLimits& limits) {
  const std::string size = fmt::format("{}: the image is {} x {} pixels", name, width, height);
  if (width <= 0 || height <= 0) throw bad_input(size + ", expected at least 1 x 1");
  if (height > limits.max_pixels / width) {
    throw bad_input(
        fmt::format("{}, more than the limit of {} pixels in all", size, limits.max_pixels),
        "shrink the image, or raise `max_pixels` if you trust the file");
  }
}

Image blank_image(int64_t width, int64_t height) {
  Image image{static_cast<int>(width), static_cast<int>(height), {}};
  image.pixels.resize(image.size() * 3);
  return image;
}

Error damaged(const std::string& name, std::string_view format, std::string_view reason) {
  return bad_input(fmt::format("{}: truncated or damaged {}: {}", name, format, reason),
                   "fetch or export the file again");
}

Image decode_image(std::span<const std::byte> bytes, const std::string& name,
                   const ImageLimits& limits) {
  Image stored;
  if (is_jpeg(bytes)) {
    stored = decode_jpeg(bytes, name, limits);
  } else if (is_png(bytes)) {
    stored = decode_png(bytes, name, limits);
  } else if (is_webp(bytes)) {
    stored = decode_webp(bytes, name, limits);
  } else {
    throw bad_input(name + ": expected a JPEG, PNG or WebP image, found " + describe_bytes(bytes),
                    conversion_hint(bytes));
  }
  return upright(std::move(stored), orientation_in_file(bytes));
}

Image read_image(const std::filesystem::path& path, const ImageLimits& limits) {
  return decode_image(read_bytes(path), path.string(), limits);
}

std::optional<ImageSize> read_upright_size(const std::filesystem::path& path,
                                           const ImageLimits& limits) {
  const MappedFile file(path);
  const std::span<const std::byte> bytes = file.bytes();
  ImageSize stored;
  if (is_jpeg(bytes)) {
    stored = jpeg_size(bytes, path.string(), limits);
  } else if (is_png(bytes)) {
    const PngHeader header = read_png_header(bytes, path.string(), limits);
    stored = {header.width, header.height};
  } else {
    return {};
  }
  // Rows are stored as columns from kLeftTop on.
  if (orientation_in_file(bytes) < Orientation::kLeftTop) return stored;
  return ImageSize{stored.height, stored.width};
}

}  // namespace tagclip
