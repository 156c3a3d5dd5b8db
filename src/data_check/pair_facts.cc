#include "data_check/pair_facts.h"

#include <algorithm>

#include "base/error.h"
#include "data_check/palettes.h"
#include "image/label_map.h"

namespace tagclip {
namespace {

// Of an RGB picture, the palette its colours are from.
std::string_view palette_of(const Image& picture) {
  // Boundaries drawn in white or VOC's cream are in no palette.
  constexpr double kEnough = 0.9;
  for (const LabelPalette& palette : label_palettes()) {
    size_t known = 0;
    for (size_t i = 0; i < picture.pixels.size(); i += 3) {
      const Colour colour{picture.pixels[i], picture.pixels[i + 1], picture.pixels[i + 2]};
      known += std::ranges::find(palette.colours, colour) != palette.colours.end();
    }
    if (static_cast<double>(known) >= kEnough * static_cast<double>(picture.size())) {
      return palette.title;
    }
  }
  return {};
}

// The label file may be the picture of a label map, which read_label_map refuses.
std::string_view colours_of(const std::filesystem::path& labels) {
  try {
    return palette_of(read_image(labels));
  } catch (const Error&) {
    return {};
  }
}

std::vector<std::pair<uint16_t, uint64_t>> count_values(const LabelMap& map) {
  std::vector<uint64_t> pixels(size_t{kIgnore} + 1);
  for (const uint16_t value : map.labels) ++pixels[value];
  std::vector<std::pair<uint16_t, uint64_t>> values;
  for (size_t value = 0; value < pixels.size(); ++value) {
    if (pixels[value] > 0) values.emplace_back(static_cast<uint16_t>(value), pixels[value]);
  }
  return values;
}

}  // namespace

PairFacts inspect(const std::filesystem::path& folder, const LabelledFile& files) {
  PairFacts facts;
  try {
    const Image photo = read_image(folder / files.photo);
    facts.photo = {photo.width, photo.height};
    facts.print = print_of(photo);
  } catch (const Error& error) {
    facts.photo_error = error.what();
  }
  try {
    const LabelMap map = read_label_map(folder / files.labels);
    facts.labels = {map.width, map.height};
    facts.values = count_values(map);
  } catch (const Error& error) {
    facts.labels_error = error.what();
    facts.colours_of = colours_of(folder / files.labels);
  }
  return facts;
}

}  // namespace tagclip
