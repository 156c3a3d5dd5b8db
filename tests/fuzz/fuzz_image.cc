// Any bytes as a photo, a label map and a file of an unknown kind.
#include "base/error.h"
#include "image/image.h"
#include "image/png.h"
#include "io/file_signature.h"

namespace tagclip {
namespace {

constexpr ImageLimits kLimits{.max_pixels = 1 << 18};

void decode_photo(std::span<const std::byte> bytes) try {
  const Image image = decode_image(bytes, "fuzzed", kLimits);
  TAGCLIP_CHECK(image.pixels.size() == image.size() * 3, "pixels do not fill the image");
} catch (const Error&) {  // refusing is fine
}

void decode_labels(std::span<const std::byte> bytes) try {
  if (!is_png(bytes)) return;
  const auto [header, samples] = decode_png_samples(bytes, "fuzzed", kLimits);
  TAGCLIP_CHECK(samples.size() % static_cast<size_t>(header.height) == 0, "rows of uneven length");
} catch (const Error&) {  // refusing is fine
}

}  // namespace
}  // namespace tagclip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  TAGCLIP_CHECK(!tagclip::describe_bytes(bytes).empty(), "no description");
  tagclip::decode_photo(bytes);
  tagclip::decode_labels(bytes);
  return 0;
}
