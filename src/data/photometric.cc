#include "data/photometric.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "data/hsv.h"
#include "data/random.h"

namespace tagclip {
namespace {

using Table = std::array<uint8_t, 256>;

// level * factor + offset in float32, clipped, truncated.
Table linear_table(float factor, float offset) {
  Table table;
  for (int level = 0; level < 256; ++level) {
    const float value = static_cast<float>(level) * factor + offset;
    table[level] = static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
  }
  return table;
}

void map_levels(const Table& table, std::vector<uint8_t>& values) {
  for (uint8_t& value : values) value = table[value];
}

template <typename Change>
void for_each_hsv(std::vector<uint8_t>& pixels, Change change) {
  for (size_t i = 0; i < pixels.size(); i += 3) {
    Hsv pixel = to_hsv(pixels[i], pixels[i + 1], pixels[i + 2]);
    change(pixel);
    to_rgb(pixel, &pixels[i]);
  }
}

void scale_saturation(float factor, std::vector<uint8_t>& pixels) {
  const Table table = linear_table(factor, 0);
  for_each_hsv(pixels, [&](Hsv& pixel) { pixel.saturation = table[pixel.saturation]; });
}

void turn_hue(int angle, std::vector<uint8_t>& pixels) {
  const int turn = (angle % kHues + kHues) % kHues;
  for_each_hsv(pixels, [turn](Hsv& pixel) {
    const int hue = pixel.hue + turn;
    pixel.hue = static_cast<uint8_t>(hue < kHues ? hue : hue - kHues);
  });
}

}  // namespace

Image distort(const Image& image, const Photometric& decision) {
  Image distorted = image;
  auto& pixels = distorted.pixels;
  const bool contrast = decision.contrast != 1;
  if (decision.brightness != 0) map_levels(linear_table(1, decision.brightness), pixels);
  if (contrast && decision.contrast_first) map_levels(linear_table(decision.contrast, 0), pixels);
  if (decision.saturation != 1) scale_saturation(decision.saturation, pixels);
  if (decision.hue != 0) turn_hue(decision.hue, pixels);
  if (contrast && !decision.contrast_first) map_levels(linear_table(decision.contrast, 0), pixels);
  return distorted;
}

Photometric draw_photometric(std::mt19937_64& random) {
  Photometric decision;
  if (coin(random)) decision.brightness = static_cast<float>(uniform(random, -32, 32));
  decision.contrast_first = coin(random);
  if (coin(random)) decision.contrast = static_cast<float>(uniform(random, 0.5, 1.5));
  if (coin(random)) decision.saturation = static_cast<float>(uniform(random, 0.5, 1.5));
  if (coin(random)) decision.hue = static_cast<int>(uniform_index(random, 36)) - 18;
  return decision;
}

}  // namespace tagclip
