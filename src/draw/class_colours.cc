#include "draw/class_colours.h"

#include <algorithm>

#include "base/error.h"

namespace tagclip {
namespace {

// How much of a pixel is the class's colour, in 1/256.
constexpr int kInside = 120;
constexpr int kBorder = 230;

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

}  // namespace

void colour_classes(Image& view, const LabelMap& labels, const std::vector<Colour>& palette) {
  TAGCLIP_CHECK(view.width == labels.width && view.height == labels.height,
                "labels of the picture's size");
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

}  // namespace tagclip
