#include "image/image.h"

#include <algorithm>
#include <string_view>

#include "base/files.h"
#include "image/codecs.h"
#include "io/file_kind.h"

namespace tagclip {
namespace {

bool has_at(std::span<const std::byte> bytes, size_t offset, std::string_view magic) {
  if (bytes.size() < offset + magic.size()) return false;
  const std::span<const std::byte> expected = std::as_bytes(std::span(magic));
  return std::ranges::equal(bytes.subspan(offset, magic.size()), expected);
}

}  // namespace

bool is_jpeg(std::span<const std::byte> bytes) { return has_at(bytes, 0, "\xFF\xD8\xFF"); }
bool is_png(std::span<const std::byte> bytes) { return has_at(bytes, 0, "\x89PNG\r\n\x1A\n"); }
bool is_webp(std::span<const std::byte> bytes) {
  return has_at(bytes, 0, "RIFF") && has_at(bytes, 8, "WEBP");
}

void check_size(const std::string& name, int64_t width, int64_t height, const ImageLimits& limits) {
  if (width <= 0 || height <= 0) {
    throw bad_input(name + ": the image is " + std::to_string(width) + " x " +
                    std::to_string(height) + " pixels, expected at least 1 x 1");
  }
  if (height > limits.max_pixels / width) {
    throw bad_input(name + ": the image is " + std::to_string(width) + " x " +
                        std::to_string(height) + " pixels, more than the limit of " +
                        std::to_string(limits.max_pixels) + " pixels in all",
                    "shrink the image, or raise the limit with --max-pixels if you trust the file");
  }
}

Image blank_image(int64_t width, int64_t height) {
  Image image{static_cast<int>(width), static_cast<int>(height), {}};
  image.pixels.resize(image.size() * 3);
  return image;
}

Error damaged(const std::string& name, std::string_view format, std::string_view reason) {
  return bad_input(
      name + ": truncated or damaged " + std::string(format) + ": " + std::string(reason),
      "fetch or export the file again");
}

Image decode_image(std::span<const std::byte> bytes, const std::string& name,
                   const ImageLimits& limits) {
  if (is_jpeg(bytes)) return decode_jpeg(bytes, name, limits);
  if (is_png(bytes)) return decode_png(bytes, name, limits);
  if (is_webp(bytes)) return decode_webp(bytes, name, limits);
  throw bad_input(name + ": expected a JPEG, PNG or WebP image, found " + describe_bytes(bytes));
}

Image read_image(const std::filesystem::path& path, const ImageLimits& limits) {
  return decode_image(read_bytes(path), path.string(), limits);
}

}  // namespace tagclip
