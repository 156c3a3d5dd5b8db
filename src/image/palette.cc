#include "image/palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

namespace tagclip {
namespace {

// Lightness and two opponent colours, in which distances are as large as the eye sees them.
using Oklab = std::array<double, 3>;

// The shares of red, green and blue light: outside of [0, 1] where no screen has the colour.
std::array<double, 3> linear_rgb(const Oklab& colour) {
  const auto [lightness, a, b] = colour;
  const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

uint8_t to_srgb(double linear) {
  const double value = std::clamp(linear, 0.0, 1.0);
  const double encoded =
      value <= 0.0031308 ? 12.92 * value : 1.055 * std::pow(value, 1 / 2.4) - 0.055;
  return static_cast<uint8_t>(std::lround(255 * encoded));
}

double squared_distance(const Oklab& x, const Oklab& y) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum;
}

Oklab of_hue(double lightness, double chroma, double degrees) {
  const double hue = degrees * std::numbers::pi / 180;
  return {lightness, chroma * std::cos(hue), chroma * std::sin(hue)};
}

// A grid over the colours that a screen shows, without those near black, white and grey.
std::vector<Oklab> colour_grid() {
  const auto is_shown = [](const Oklab& colour) {
    return std::ranges::all_of(linear_rgb(colour),
                               [](double light) { return light >= 0 && light <= 1; });
  };
  std::vector<Oklab> grid;
  for (int lightness = 50; lightness <= 90; lightness += 4) {
    for (int chroma = 6; chroma <= 26; chroma += 4) {
      for (int degrees = 0; degrees < 360; degrees += 5) {
        const Oklab colour = of_hue(lightness / 100.0, chroma / 100.0, degrees);
        if (is_shown(colour)) grid.push_back(colour);
      }
    }
  }
  return grid;
}

constexpr size_t kVocClasses = 21;  // with background

// 0xRRGGBB.
// clang-format off: it would give each colour a line.
constexpr uint32_t kContext[] = {
    0x787878, 0xB47878, 0x06E6E6, 0x503232, 0x04C803, 0x787850, 0x8C8C8C, 0xCC05FF, 0xE6E6E6,
    0x04FA07, 0xE005FF, 0xEBFF07, 0x96053D, 0x787846, 0x08FF33, 0xFF0652, 0x8FFF8C, 0xCCFF04,
    0xFF3307, 0xCC4603, 0x0066C8, 0x3DE6FA, 0xFF0633, 0x0B66FF, 0xFF0747, 0xFF09E0, 0x0907E6,
    0xDCDCDC, 0xFF095C, 0x7009FF, 0x08FFD6, 0x07FFE0, 0xFFB806, 0x0AFF47, 0xFF290A, 0x07FFFF,
    0xE0FF08, 0x6608FF, 0xFF3D06, 0xFFC207, 0xFF7A08, 0x00FF14, 0xFF0829, 0xFF0599, 0x0633FF,
    0xEB0CFF, 0xA09614, 0x00A3FF, 0x8C8C8C, 0xFA0A0F, 0x14FF00, 0x1FFF00, 0xFF1F00, 0xFFE000,
    0x99FF00, 0x0000FF, 0xFF4700, 0x00EBFF, 0x00ADFF, 0x1F00FF,
};

constexpr uint32_t kCocoStuff[] = {
    0x00C040, 0x00C040, 0x004060, 0x80C0C0, 0x004040, 0x00C0E0, 0x00C0C0, 0x80C040, 0x00C060,
    0x80C040, 0x8020C0, 0x0000E0, 0x000040, 0x00A0C0, 0x800060, 0x8000C0, 0x0020C0, 0x8080E0,
    0x0000C0, 0x80A0C0, 0x808000, 0x800020, 0x802000, 0x800080, 0x408020, 0x00A000, 0x000000,
    0xC080A0, 0x002000, 0x008080, 0x4080A0, 0x80A000, 0x008000, 0xC08020, 0x806080, 0x000080,
    0x400020, 0x00E080, 0x800000, 0xC000A0, 0x006080, 0x808080, 0x4000A0, 0x80E080, 0x808040,
    0xC00020, 0x806000, 0x8000C0, 0x008020, 0x40E000, 0x000040, 0x8080A0, 0x406000, 0x0080C0,
    0x0080A0, 0xC0E000, 0x008040, 0x808020, 0xC02080, 0x0040C0, 0x000020, 0x40A080, 0x804040,
    0x8000A0, 0x402080, 0x80C0C0, 0x0000A0, 0xC0A080, 0x80C000, 0x800060, 0xC02000, 0x804080,
    0x408060, 0x40A000, 0x004000, 0xC080E0, 0x402000, 0x00C080, 0x4080E0, 0xC0A000, 0x00C000,
    0xC08060, 0xC06080, 0x004080, 0x400060, 0x40E080, 0x804000, 0xC000E0, 0x406080, 0x80C080,
    0x4000E0, 0xC0E080, 0x80C040, 0xC00060, 0xC06000, 0x8040C0, 0x008060, 0x00E000, 0x404040,
    0x8080E0, 0x006000, 0x40C0C0, 0x0080E0, 0x80E000, 0x40C040, 0x808060, 0x802080, 0x4000C0,
    0x004060, 0x00A080, 0xC00040, 0x8040E0, 0x002080, 0xC080C0, 0x0040E0, 0x80A080, 0xC08000,
    0x804020, 0x802040, 0xC00080, 0x40C020, 0x00A040, 0x400000, 0xC0C0A0, 0x002040, 0x408080,
    0x40C0A0, 0x80A040, 0x408000, 0xC0C020, 0x8060C0, 0x400080, 0x404020, 0x00E0C0, 0xC00000,
    0xC040A0, 0x0060C0, 0xC08080, 0x4040A0, 0x80E0C0, 0xC08040, 0xC04020, 0x806040, 0xC000C0,
    0x00C020, 0x40E040, 0x400040, 0x80C0A0, 0x406040, 0x4080C0, 0x00C0A0, 0xC0E040, 0x408040,
    0x80C020, 0xC020C0, 0x4040C0, 0x004020, 0x40A0C0, 0xC04040, 0x8040A0, 0x4020C0, 0xC0C0C0,
    0x0040A0, 0xC0A0C0, 0xC0C000, 0x804060, 0xC02040, 0xC04080, 0x40C060, 0x40A040, 0x404000,
};
// clang-format on

std::vector<Colour> from_hex(std::span<const uint32_t> codes) {
  std::vector<Colour> colours;
  for (const uint32_t code : codes) {
    colours.push_back({static_cast<uint8_t>(code >> 16), static_cast<uint8_t>(code >> 8),
                       static_cast<uint8_t>(code)});
  }
  return colours;
}

}  // namespace

std::vector<Colour> voc_palette(size_t classes) {
  std::vector<Colour> palette(classes);
  for (size_t value = 0; value < classes; ++value) {
    // Bits 0, 3, 6, ... of the value make red, from the highest bit down; the next ones green,
    // blue.
    size_t rest = value;
    for (int bit = 7; bit >= 0; --bit, rest >>= 3) {
      for (size_t channel = 0; channel < 3; ++channel) {
        palette[value][channel] |= static_cast<uint8_t>((rest >> channel & 1) << bit);
      }
    }
  }
  return palette;
}

const std::vector<LabelPalette>& label_palettes() {
  static const std::vector<LabelPalette> palettes = {
      {"PASCAL VOC", voc_palette(kVocClasses)},
      {"mmsegmentation's PASCAL Context", from_hex(kContext)},
      {"mmsegmentation's COCO-Stuff", from_hex(kCocoStuff)}};
  return palettes;
}

std::vector<Colour> result_palette(size_t classes) {
  static const std::vector<Oklab> kGrid = colour_grid();
  constexpr Oklab kGrey = {0.5, 0, 0};  // of unlabelled pixels
  constexpr double kFirstHue = 25;
  std::vector<double> distances;  // of each colour of the grid to the nearest one taken so far
  for (const Oklab& colour : kGrid) distances.push_back(squared_distance(colour, kGrey));
  Oklab next = of_hue(0.70, 0.17, kFirstHue);
  std::vector<Colour> palette;
  for (size_t taken = 0; taken < std::min(classes, kGrid.size()); ++taken) {
    const auto [red, green, blue] = linear_rgb(next);
    palette.push_back({to_srgb(red), to_srgb(green), to_srgb(blue)});
    for (size_t i = 0; i < kGrid.size(); ++i) {
      distances[i] = std::min(distances[i], squared_distance(kGrid[i], next));
    }
    next = kGrid[std::ranges::max_element(distances) - distances.begin()];
  }
  // Nobody tells so many apart: the colours begin anew.
  for (size_t i = palette.size(); i < classes; ++i) palette.push_back(palette[i - kGrid.size()]);
  return palette;
}

}  // namespace tagclip
