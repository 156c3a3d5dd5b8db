#include "data/resize.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace tagclip {
namespace {

constexpr int kWeightOne = 2048;

// Where an output position reads: two neighbours of the source and their weights (sum kWeightOne).
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

// One source row at the output's columns, in units of 1/128 level.
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
  TAGCLIP_CHECK(source_pixels > 0, "cannot resize an empty picture");
  TAGCLIP_CHECK(window.x >= 0 && window.y >= 0 && window.width > 0 && window.height > 0 &&
                    window.x <= size.width - window.width &&
                    window.y <= size.height - window.height,
                "the window leaves the resized picture");
}

}  // namespace

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

}  // namespace tagclip
