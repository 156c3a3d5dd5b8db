#include "image/webp.h"

#include <webp/decode.h>
#include <webp/encode.h>

#include <memory>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr size_t kChunkHeader = 8, kRiffHeader = 12;

uint64_t u32_at(std::span<const std::byte> bytes, size_t at) {
  uint64_t value = 0;
  for (size_t i = 4; i-- > 0;) value = value << 8 | std::to_integer<uint64_t>(bytes[at + i]);
  return value;
}

WebPBitstreamFeatures features_of(std::span<const std::byte> bytes, const std::string& name) {
  WebPBitstreamFeatures features{};
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  if (WebPGetFeatures(data, bytes.size(), &features) == VP8_STATUS_OK) return features;
  throw damaged(name, "WebP", "its header cannot be read");
}

// The decoder does not notice every cut, the container's own length does.
void check_complete(std::span<const std::byte> bytes, const std::string& name) {
  const uint64_t size = u32_at(bytes, 4) + kChunkHeader;
  if (bytes.size() >= size) return;
  throw damaged(name, "WebP",
                "its header announces " + std::to_string(size) + " bytes, the file has " +
                    std::to_string(bytes.size()));
}

}  // namespace

bool is_webp(std::span<const std::byte> bytes) {
  return starts_with(bytes, "RIFF") && bytes.size() >= kRiffHeader &&
         starts_with(bytes.subspan(8), "WEBP");
}

Image decode_webp(std::span<const std::byte> bytes, const std::string& name,
                  const ImageLimits& limits) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  const WebPBitstreamFeatures features = features_of(bytes, name);
  check_size(name, features.width, features.height, limits);
  check_complete(bytes, name);
  if (features.has_animation) {
    throw bad_input(name + ": expected one image, found an animated WebP",
                    "save one of its frames as a PNG or JPEG file");
  }
  Image image = blank_image(features.width, features.height);
  if (!WebPDecodeRGBInto(data, bytes.size(), image.pixels.data(), image.pixels.size(),
                         image.width * 3)) {
    throw damaged(name, "WebP", "its data cannot be decoded");
  }
  return image;
}

ImageSize webp_size(std::span<const std::byte> bytes, const std::string& name,
                    const ImageLimits& limits) {
  const WebPBitstreamFeatures features = features_of(bytes, name);
  check_size(name, features.width, features.height, limits);
  return {features.width, features.height};
}

std::vector<std::byte> encode_lossy_webp(const Image& image, float quality) {
  TAGCLIP_CHECK(image.width > 0 && image.height > 0 && image.pixels.size() == image.size() * 3,
                "pixels for a WebP");
  uint8_t* output = nullptr;
  const size_t size = WebPEncodeRGB(image.pixels.data(), image.width, image.height, image.width * 3,
                                    quality, &output);
  const std::unique_ptr<uint8_t, void (*)(void*)> owner(output, WebPFree);
  if (size == 0) throw failure("cannot encode an image as WebP");
  const auto* bytes = reinterpret_cast<const std::byte*>(output);
  return {bytes, bytes + size};
}

}  // namespace tagclip
