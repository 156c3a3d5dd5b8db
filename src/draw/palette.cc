#include "draw/palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace tagclip {
namespace {

// Each hue is as far from the ones before it as it can be.
constexpr double kGoldenAngle = 137.50776405;
constexpr double kFirstHue = 25;
constexpr std::array<double, 3> kLightness = {0.70, 0.58, 0.82};
constexpr double kChroma = 0.17;

uint8_t to_srgb(double linear) {
  const double value = std::clamp(linear, 0.0, 1.0);
  const double encoded =
      value <= 0.0031308 ? 12.92 * value : 1.055 * std::pow(value, 1 / 2.4) - 0.055;
  return static_cast<uint8_t>(std::lround(255 * encoded));
}

// Oklab, whose lightness and chroma are those that the eye sees, to sRGB.
Colour from_oklab(double lightness, double a, double b) {
  const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  return {to_srgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
          to_srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
          to_srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

}  // namespace

std::vector<Colour> result_palette(size_t classes) {
  std::vector<Colour> palette;
  for (size_t i = 0; i < classes; ++i) {
    const double degrees = kFirstHue + kGoldenAngle * static_cast<double>(i);
    const double hue = degrees * std::numbers::pi / 180;
    palette.push_back(from_oklab(kLightness[i % kLightness.size()], kChroma * std::cos(hue),
                                 kChroma * std::sin(hue)));
  }
  return palette;
}

int unlabelled_value(size_t classes) { return classes <= 255 ? 255 : kIgnore; }

}  // namespace tagclip
