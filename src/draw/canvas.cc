#include "draw/canvas.h"

#include <algorithm>

#include "base/error.h"

namespace tagclip {

Image filled(int width, int height, Colour colour) {
  Image image{width, height, {}};
  image.pixels.reserve(image.size() * 3);
  for (size_t i = 0; i < image.size(); ++i) {
    image.pixels.insert(image.pixels.end(), colour.begin(), colour.end());
  }
  return image;
}

void fill(Image& image, int left, int top, int width, int height, Colour colour) {
  for (int y = std::max(0, top); y < std::min(image.height, top + height); ++y) {
    for (int x = std::max(0, left); x < std::min(image.width, left + width); ++x) {
      std::ranges::copy(colour, &image.pixels[(static_cast<size_t>(y) * image.width + x) * 3]);
    }
  }
}

void paste(const Image& part, int left, int top, Image& onto) {
  TAGCLIP_CHECK(
      left >= 0 && top >= 0 && left + part.width <= onto.width && top + part.height <= onto.height,
      "room for the part");
  const ptrdiff_t row = static_cast<ptrdiff_t>(part.width) * 3;
  for (int y = 0; y < part.height; ++y) {
    std::copy_n(part.pixels.begin() + y * row, row,
                onto.pixels.begin() + (static_cast<ptrdiff_t>(top + y) * onto.width + left) * 3);
  }
}

}  // namespace tagclip
