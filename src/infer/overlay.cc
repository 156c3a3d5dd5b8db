#include "infer/overlay.h"

#include <algorithm>

#include "base/error.h"
#include "data/resize.h"

namespace tagclip {
namespace {

constexpr int kLongest = 2048;  // pixels of the photo in the overlay
constexpr int kNarrowest = 400;
constexpr Colour kBackground{250, 250, 248};
// How much of a pixel is the class's colour, in 1/256.
constexpr int kInside = 120;
constexpr int kBorder = 230;

// The size at which a photo is shown.
Size view_size(Size photo) {
  const int longest = std::max(photo.width, photo.height);
  if (longest > kLongest) return fit_within(photo, kLongest, kLongest);
  const int wanted = (kNarrowest + photo.width - 1) / photo.width;
  const int factor = std::clamp(wanted, 1, kLongest / longest);
  return {photo.width * factor, photo.height * factor};
}

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

Image shown(const Image& photo, Size size) {
  Image view = photo;
  // A bilinear resize to less than half would skip pixels.
  while (view.width >= 2 * size.width && view.height >= 2 * size.height) view = halved(view);
  return resize_bilinear(view, size);
}

// Whether a pixel with another label lies within `reach` pixels, across or down.
bool on_border(const LabelMap& map, int x, int y, int reach) {
  const auto label_at = [&](int column, int row) {
    column = std::clamp(column, 0, map.width - 1);
    row = std::clamp(row, 0, map.height - 1);
    return map.labels[static_cast<size_t>(row) * map.width + column];
  };
  const uint16_t own = label_at(x, y);
  for (int d = 1; d <= reach; ++d) {
    if (label_at(x - d, y) != own || label_at(x + d, y) != own || label_at(x, y - d) != own ||
        label_at(x, y + d) != own) {
      return true;
    }
  }
  return false;
}

void tint(uint8_t* pixel, Colour colour, int strength) {
  for (int c = 0; c < 3; ++c) {
    pixel[c] = static_cast<uint8_t>((pixel[c] * (256 - strength) + colour[c] * strength) / 256);
  }
}

void grey_out(uint8_t* pixel) {
  const int luma = (77 * pixel[0] + 150 * pixel[1] + 29 * pixel[2]) / 256;
  std::fill_n(pixel, 3, static_cast<uint8_t>(luma * 2 / 3));
}

void colour_classes(Image& view, const LabelMap& labels, const std::vector<Colour>& palette) {
  const int reach = 1 + std::max(view.width, view.height) / 1000;
  uint8_t* pixel = view.pixels.data();
  for (int y = 0; y < view.height; ++y) {
    for (int x = 0; x < view.width; ++x, pixel += 3) {
      const uint16_t label = labels.labels[static_cast<size_t>(y) * labels.width + x];
      if (label == kIgnore) {
        grey_out(pixel);
      } else {
        tint(pixel, palette.at(label), on_border(labels, x, y, reach) ? kBorder : kInside);
      }
    }
  }
}

void paste(const Image& part, int left, int top, Image& onto) {
  const ptrdiff_t row = static_cast<ptrdiff_t>(part.width) * 3;
  for (int y = 0; y < part.height; ++y) {
    std::copy_n(part.pixels.begin() + y * row, row,
                onto.pixels.begin() + (static_cast<ptrdiff_t>(top + y) * onto.width + left) * 3);
  }
}

Image filled(int width, int height, Colour colour) {
  Image image{width, height, {}};
  image.pixels.reserve(image.size() * 3);
  for (size_t i = 0; i < image.size(); ++i) {
    image.pixels.insert(image.pixels.end(), colour.begin(), colour.end());
  }
  return image;
}

}  // namespace

Image draw_overlay(const Image& photo, const LabelMap& labels, const std::vector<Colour>& palette,
                   const std::vector<LegendEntry>& legend) {
  TAGCLIP_CHECK(photo.width == labels.width && photo.height == labels.height,
                "labels of the photo's size");
  const Size size = view_size({photo.width, photo.height});
  Image view = shown(photo, size);
  colour_classes(view, resize_nearest(labels, size), palette);

  const int width = std::max(size.width, kNarrowest);
  const int max_rows = std::clamp(size.height / 120, 4, 8);
  const Image strip = draw_legend(legend, width, max_rows);
  Image overlay = filled(width, size.height + strip.height, kBackground);
  paste(view, (width - size.width) / 2, 0, overlay);
  paste(strip, 0, size.height, overlay);
  return overlay;
}

}  // namespace tagclip
