#include "data/photometric.h"

#include <array>

#include "base/platform.h"
#include "data/random.h"

namespace tagclip {
namespace {

// level * factor + offset in float32, clipped, truncated.
inline int linear(int level, float factor, float offset) {
  const float value = static_cast<float>(level) * factor + offset;
  return static_cast<int>(hsv_detail::smaller(hsv_detail::larger(value, 0.0f), 255.0f));
}

TAGCLIP_MULTIVERSION
void map_levels(float factor, float offset, uint8_t* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    values[i] = static_cast<uint8_t>(linear(values[i], factor, offset));
  }
}

// The channels of a block of pixels that fits into the L1 cache.
constexpr size_t kBlock = 512;
struct Channels {
  std::array<uint8_t, kBlock> red, green, blue;
};

// Multiplies saturation by `factor` and adds `turn` (0 .. kHues - 1) to the hue, in 8-bit HSV.
TAGCLIP_MULTIVERSION
void change_colours(float factor, int turn, uint8_t* pixels, size_t count) {
  Channels block;
  for (size_t done = 0; done < count; done += kBlock, pixels += 3 * kBlock) {
    const size_t n = hsv_detail::smaller(kBlock, count - done);
    for (size_t i = 0; i < n; ++i) {
      block.red[i] = pixels[3 * i];
      block.green[i] = pixels[3 * i + 1];
      block.blue[i] = pixels[3 * i + 2];
    }
    for (size_t i = 0; i < n; ++i) {
      Hsv hsv = to_hsv(block.red[i], block.green[i], block.blue[i]);
      hsv.saturation = linear(hsv.saturation, factor, 0);
      const int turned = hsv.hue + turn, around = turned - kHues;
      hsv.hue = turned < kHues ? turned : around;
      const Rgb rgb = to_rgb(hsv);
      block.red[i] = static_cast<uint8_t>(rgb.red);
      block.green[i] = static_cast<uint8_t>(rgb.green);
      block.blue[i] = static_cast<uint8_t>(rgb.blue);
    }
    for (size_t i = 0; i < n; ++i) {
      pixels[3 * i] = block.red[i];
      pixels[3 * i + 1] = block.green[i];
      pixels[3 * i + 2] = block.blue[i];
    }
  }
}

}  // namespace

Image distort(Image image, const Photometric& decision) {
  uint8_t* pixels = image.pixels.data();
  const size_t values = image.pixels.size(), count = image.size();
  const bool contrast = decision.contrast != 1;
  if (decision.brightness != 0) map_levels(1, decision.brightness, pixels, values);
  if (contrast && decision.contrast_first) map_levels(decision.contrast, 0, pixels, values);
  if (decision.saturation != 1) change_colours(decision.saturation, 0, pixels, count);
  if (decision.hue != 0) {
    change_colours(1, (decision.hue % kHues + kHues) % kHues, pixels, count);
  }
  if (contrast && !decision.contrast_first) map_levels(decision.contrast, 0, pixels, values);
  return image;
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
