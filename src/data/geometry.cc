#include "data/geometry.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr int64_t kMaxPixels = int64_t{1} << 28;

double short_of(Size size) { return std::min(size.width, size.height); }
double long_of(Size size) { return std::max(size.width, size.height); }

// mmcv's rounding: half up, in double.
Size scaled(Size source, double factor) {
  const auto side = [factor](int length) {
    return std::max(1, static_cast<int>(length * factor + 0.5));
  };
  return {side(source.width), side(source.height)};
}

void check_inside(const CropBox& box, int width, int height) {
  TAGCLIP_CHECK(box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0 &&
                    box.x <= width - box.width && box.y <= height - box.height,
                "the crop leaves the picture");
}

// Copies `box` out of rows of `width` pixels with `channels` values each.
template <typename T>
std::vector<T> crop_rows(const std::vector<T>& from, int width, int channels, const CropBox& box) {
  std::vector<T> to;
  to.reserve(static_cast<size_t>(box.width) * box.height * channels);
  for (int y = box.y; y < box.y + box.height; ++y) {
    const auto row = from.begin() + (static_cast<ptrdiff_t>(y) * width + box.x) * channels;
    to.insert(to.end(), row, row + static_cast<ptrdiff_t>(box.width) * channels);
  }
  return to;
}

}  // namespace

Size fit_within(Size source, int long_side, int short_side) {
  TAGCLIP_CHECK(source.width > 0 && source.height > 0, "an empty picture has no ratio");
  TAGCLIP_CHECK(long_side >= short_side && short_side > 0, "not a long and a short side");
  return scaled(source, std::min(long_side / long_of(source), short_side / short_of(source)));
}

Size cover_short_side(Size source, int short_side) {
  TAGCLIP_CHECK(source.width > 0 && source.height > 0, "an empty picture has no ratio");
  TAGCLIP_CHECK(short_side > 0, "no short side");
  const double factor = short_side / short_of(source);
  if (factor * factor * source.width * source.height > kMaxPixels) {
    throw bad_input(
        fmt::format("a picture of {}x{} is too long and thin: with its short side at {} "
                    "pixels it would have more than {} million",
                    source.width, source.height, short_side, kMaxPixels >> 20),
        "cut it into pieces");
  }
  return scaled(source, factor);
}

Image crop(const Image& image, const CropBox& box) {
  check_inside(box, image.width, image.height);
  return {box.width, box.height, crop_rows(image.pixels, image.width, 3, box)};
}

LabelMap crop(const LabelMap& map, const CropBox& box) {
  check_inside(box, map.width, map.height);
  return {box.width, box.height, crop_rows(map.labels, map.width, 1, box)};
}

Image flip_horizontal(const Image& image) {
  Image flipped{image.width, image.height, std::vector<uint8_t>(image.pixels.size())};
  for (int y = 0; y < image.height; ++y) {
    const uint8_t* from = image.pixels.data() + static_cast<size_t>(y) * image.width * 3;
    uint8_t* to = flipped.pixels.data() + static_cast<size_t>(y + 1) * image.width * 3;
    for (int x = 0; x < image.width; ++x, from += 3) {
      to -= 3;
      to[0] = from[0], to[1] = from[1], to[2] = from[2];
    }
  }
  return flipped;
}

LabelMap flip_horizontal(const LabelMap& map) {
  LabelMap flipped = map;
  for (auto row = flipped.labels.begin(); row != flipped.labels.end(); row += map.width) {
    std::reverse(row, row + map.width);
  }
  return flipped;
}

LabelMap pad(const LabelMap& map, Size size) {
  TAGCLIP_CHECK(size.width >= map.width && size.height >= map.height, "padding cannot shrink");
  LabelMap padded{size.width, size.height, {}};
  padded.labels.assign(padded.size(), kIgnore);
  for (int y = 0; y < map.height; ++y) {
    std::copy_n(map.labels.begin() + static_cast<ptrdiff_t>(y) * map.width, map.width,
                padded.labels.begin() + static_cast<ptrdiff_t>(y) * size.width);
  }
  return padded;
}

}  // namespace tagclip
