#include "image/codecs.h"
#include "image/png_reader.h"

namespace tagclip {

Image decode_png(std::span<const std::byte> bytes, const std::string& name,
                 const ImageLimits& limits) {
  PngReader reader(bytes, name, limits);
  Image image{reader.width(), reader.height(), reader.read(PngSamples::kRgb8)};
  return upright(std::move(image), reader.orientation());
}

}  // namespace tagclip
