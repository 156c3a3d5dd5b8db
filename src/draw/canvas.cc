#include "draw/canvas.h"

#include <algorithm>

#include "base/error.h"
#include "data/image_ops.h"

namespace tagclip {
namespace {

// Returns the image at half its size, each pixel the mean of four.
Image halved(const Image& image) {
  Image half{image.width / 2, image.height / 2, {}};
  half.pixels.reserve(half.size() * 3);
  const size_t row = static_cast<size_t>(image.width) * 3;
  for (int y = 0; y < half.height; ++y) {
    const uint8_t* pixel = image.pixels.data() + 2 * y * row;
    for (int x = 0; x < half.width; ++x, pixel += 6) {
      for (int c = 0; c < 3; ++c) {
        const int sum = pixel[c] + pixel[c + 3] + pixel[row + c] + pixel[row + c + 3];
        half.pixels.push_back(static_cast<uint8_t>((sum + 2) / 4));
      }
    }
  }
  return half;
}

}  // namespace

Image solid_image(int width, int height, Colour colour) {
  Image image{width, height, {}};
  image.pixels.reserve(image.size() * 3);
  for (size_t i = 0; i < image.size(); ++i) {
    image.pixels.insert(image.pixels.end(), colour.begin(), colour.end());
  }
  return image;
}

void fill_rectangle(Image& image, int left, int top, int width, int height, Colour colour) {
  for (int y = std::max(0, top); y < std::min(image.height, top + height); ++y) {
    for (int x = std::max(0, left); x < std::min(image.width, left + width); ++x) {
      std::ranges::copy(colour, &image.pixels[(static_cast<size_t>(y) * image.width + x) * 3]);
    }
  }
}

void paste(const Image& part, int left, int top, Image& onto) {
  TAGCLIP_CHECK(
      left >= 0 && top >= 0 && left + part.width <= onto.width && top + part.height <= onto.height,
      "the part lies inside the image");
  const ptrdiff_t row = static_cast<ptrdiff_t>(part.width) * 3;
  for (int y = 0; y < part.height; ++y) {
    std::copy_n(part.pixels.begin() + y * row, row,
                onto.pixels.begin() + (static_cast<ptrdiff_t>(top + y) * onto.width + left) * 3);
  }
}

Image preview(const Image& image, Size size) {
  Image view = image;
  // A bilinear resize to less than half would skip pixels.
  while (view.width >= 2 * size.width && view.height >= 2 * size.height) view = halved(view);
  return resize_bilinear(view, size);
}

}  // namespace tagclip
