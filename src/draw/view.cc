#include "draw/view.h"

#include "data/resize.h"

namespace tagclip {
namespace {

// Half the size, each pixel the mean of four.
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

Image view_of(const Image& photo, Size size) {
  Image view = photo;
  // A bilinear resize to less than half would skip pixels.
  while (view.width >= 2 * size.width && view.height >= 2 * size.height) view = halved(view);
  return resize_bilinear(view, size);
}

}  // namespace tagclip
