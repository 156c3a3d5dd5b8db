#include "image/webp_writer.h"

#include <webp/encode.h>

#include <memory>

#include "base/error.h"

namespace tagclip {

std::vector<std::byte> encode_lossy_webp(const Image& image, float quality) {
  TAGCLIP_CHECK(image.width > 0 && image.height > 0 && image.pixels.size() == image.size() * 3,
                "pixels for a WebP");
  uint8_t* output = nullptr;
  const size_t size = WebPEncodeRGB(image.pixels.data(), image.width, image.height, image.width * 3,
                                    quality, &output);
  const std::unique_ptr<uint8_t, void (*)(void*)> owner(output, WebPFree);
  if (size == 0) throw failure("cannot encode a picture as WebP");
  const auto* bytes = reinterpret_cast<const std::byte*>(output);
  return {bytes, bytes + size};
}

}  // namespace tagclip
