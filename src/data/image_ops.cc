#include "data/image_ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/rounding.h"

namespace tagclip {
namespace {

constexpr int64_t kMaxPixels = int64_t{1} << 28;

double short_of(Size size) { return std::min(size.width, size.height); }
double long_of(Size size) { return std::max(size.width, size.height); }

// mmcv's rounding: half up, in double.
Size scaled(Size source, double factor) {
  const auto side = [factor](int length) { return std::max(1, rounded_half_up(length * factor)); };
  return {side(source.width), side(source.height)};
}

void check_inside(const CropBox& box, int width, int height) {
  TAGCLIP_CHECK(box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0 &&
                    box.x <= width - box.width && box.y <= height - box.height,
                "the box leaves the image");
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

constexpr int kWeightOne = 2048;

// The two neighbours in the source that an output position reads, and their weights (sum
// kWeightOne).
struct Tap {
  int first, second;
  int weight_first, weight_second;
};

// Source steps per output step, with OpenCV's two roundings.
double step(int source, int target) { return 1.0 / (static_cast<double>(target) / source); }

// Columns that reach over the border read the border pixel alone; rows blend it with itself, which
// rounds differently.
enum class Border { kAlone, kBlended };

std::vector<Tap> make_taps(int source, int target, int begin, int count, Border border) {
  const auto weight = [](float part) { return static_cast<int>(std::lrint(part * kWeightOne)); };
  std::vector<Tap> taps(count);
  for (int i = 0; i < count; ++i) {
    const auto position = static_cast<float>((begin + i + 0.5) * step(source, target) - 0.5);
    const int index = static_cast<int>(std::floor(position));
    const bool over = index < 0 || index >= source - 1;
    const float fraction =
        over && border == Border::kAlone ? 0 : position - static_cast<float>(index);
    taps[i] = {std::clamp(index, 0, source - 1), std::clamp(index + 1, 0, source - 1),
               weight(1 - fraction), weight(fraction)};
  }
  return taps;
}

// Interpolates one source row at the output's columns, in units of 1/128 level.
void blend_columns(const uint8_t* row, const std::vector<Tap>& columns, int16_t* out) {
  for (const Tap& tap : columns) {
    const uint8_t* first = row + tap.first * 3;
    const uint8_t* second = row + tap.second * 3;
    for (int c = 0; c < 3; ++c) {
      *out++ =
          static_cast<int16_t>((first[c] * tap.weight_first + second[c] * tap.weight_second) >> 4);
    }
  }
}

void blend_rows(const int16_t* first, const int16_t* second, const Tap& tap, size_t count,
                uint8_t* out) {
  const auto weight_first = static_cast<int16_t>(tap.weight_first);
  const auto weight_second = static_cast<int16_t>(tap.weight_second);
  for (size_t i = 0; i < count; ++i) {
    const int sum = ((first[i] * weight_first) >> 16) + ((second[i] * weight_second) >> 16);
    out[i] = static_cast<uint8_t>((sum + 2) >> 2);
  }
}

void check_window(size_t source_pixels, Size size, const CropBox& window) {
  TAGCLIP_CHECK(source_pixels > 0, "cannot resize an empty image");
  check_inside(window, size.width, size.height);
}

using Table = std::array<float, 256>;

// mmcv's roundings: statistics and difference in float32, products in double.
Table make_table(double mean, double std) {
  const double mean32 = static_cast<float>(255 * mean);
  const double inverse = 1.0 / static_cast<float>(255 * std);
  Table table;
  for (int level = 0; level < 256; ++level) {
    table[level] = static_cast<float>(static_cast<float>(level - mean32) * inverse);
  }
  return table;
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
  padded.labels.assign(padded.size(), kIgnoreIndex);
  for (int y = 0; y < map.height; ++y) {
    std::copy_n(map.labels.begin() + static_cast<ptrdiff_t>(y) * map.width, map.width,
                padded.labels.begin() + static_cast<ptrdiff_t>(y) * size.width);
  }
  return padded;
}

Image resize_bilinear(const Image& image, Size size) {
  return resize_bilinear(image, size, {0, 0, size.width, size.height});
}

Image resize_bilinear(const Image& image, Size size, const CropBox& window) {
  check_window(image.size(), size, window);
  const auto columns = make_taps(image.width, size.width, window.x, window.width, Border::kAlone);
  const auto rows = make_taps(image.height, size.height, window.y, window.height, Border::kBlended);

  const size_t row_values = static_cast<size_t>(window.width) * 3;
  // The two source rows in use: neighbours, so their parity tells them apart.
  std::array<std::vector<int16_t>, 2> blended{std::vector<int16_t>(row_values),
                                              std::vector<int16_t>(row_values)};
  std::array<int, 2> held{-1, -1};
  const auto source_row = [&](int y) {
    auto& row = blended[y & 1];
    if (held[y & 1] != y) {
      blend_columns(image.pixels.data() + static_cast<size_t>(y) * image.width * 3, columns,
                    row.data());
      held[y & 1] = y;
    }
    return row.data();
  };

  Image resized{window.width, window.height, std::vector<uint8_t>(row_values * window.height)};
  uint8_t* out = resized.pixels.data();
  for (const Tap& tap : rows) {
    blend_rows(source_row(tap.first), source_row(tap.second), tap, row_values, out);
    out += row_values;
  }
  return resized;
}

std::vector<int> nearest_indices(int source, int target, int begin, int count) {
  std::vector<int> indices(count);
  for (int i = 0; i < count; ++i) {
    indices[i] = std::min(static_cast<int>((begin + i) * step(source, target)), source - 1);
  }
  return indices;
}

LabelMap resize_nearest(const LabelMap& map, Size size) {
  return resize_nearest(map, size, {0, 0, size.width, size.height});
}

LabelMap resize_nearest(const LabelMap& map, Size size, const CropBox& window) {
  check_window(map.size(), size, window);
  const auto columns = nearest_indices(map.width, size.width, window.x, window.width);
  const auto rows = nearest_indices(map.height, size.height, window.y, window.height);

  LabelMap resized{window.width, window.height, {}};
  resized.labels.resize(resized.size());
  uint16_t* out = resized.labels.data();
  for (size_t y = 0; y < rows.size(); ++y, out += window.width) {
    if (y > 0 && rows[y] == rows[y - 1]) {
      std::copy_n(out - window.width, window.width, out);
      continue;
    }
    const uint16_t* row = map.labels.data() + static_cast<size_t>(rows[y]) * map.width;
    for (int x = 0; x < window.width; ++x) out[x] = row[columns[x]];
  }
  return resized;
}

void normalize_into(const Image& image, const PixelNormalization& normalization, Size size,
                    float* out) {
  TAGCLIP_CHECK(size.width >= image.width && size.height >= image.height,
                "normalising cannot shrink");
  for (int c = 0; c < 3; ++c) {
    const Table table = make_table(normalization.mean[c], normalization.std[c]);
    const uint8_t* value = image.pixels.data() + c;
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x, value += 3) out[x] = table[*value];
      std::fill(out + image.width, out + size.width, 0.0f);
      out += size.width;
    }
    const size_t below = static_cast<size_t>(size.height - image.height) * size.width;
    std::fill_n(out, below, 0.0f);
    out += below;
  }
}

}  // namespace tagclip
