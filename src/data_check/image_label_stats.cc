#include "data_check/image_label_stats.h"

#include <algorithm>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "image/label_map.h"
#include "image/palette.h"

namespace tagclip {
namespace {

constexpr Colour kBlack = {0, 0, 0};

using ColourCounts = std::vector<std::pair<Colour, uint64_t>>;

// The colours of a picture, the most frequent first; nothing when it has more than classes can be.
ColourCounts count_colours(const Image& picture) {
  constexpr size_t kMostColours = 300;
  std::map<Colour, uint64_t> pixels;
  for (size_t i = 0; i < picture.pixels.size(); i += 3) {
    ++pixels[{picture.pixels[i], picture.pixels[i + 1], picture.pixels[i + 2]}];
    if (pixels.size() > kMostColours) return {};
  }
  ColourCounts counts(pixels.begin(), pixels.end());
  std::ranges::stable_sort(counts, std::greater(), &ColourCounts::value_type::second);
  return counts;
}

// Returns the name of the palette that the colours are taken from, if any. Black is in many, and
// counts for none.
std::string_view palette_of(const ColourCounts& colours) {
  // Boundaries may be drawn in white or VOC's cream, which are in no palette.
  constexpr double kEnough = 0.9;
  for (const LabelPalette& palette : label_palettes()) {
    uint64_t known = 0, all = 0;
    for (const auto& [colour, pixels] : colours) {
      if (colour == kBlack) continue;
      all += pixels;
      if (std::ranges::find(palette.colours, colour) != palette.colours.end()) known += pixels;
    }
    if (all > 0 && static_cast<double>(known) >= kEnough * static_cast<double>(all)) {
      return palette.title;
    }
  }
  return {};
}

// Looks at a label file that read_label_map refuses.
std::optional<RgbLabels> look_at_rgb(const std::filesystem::path& labels,
                                     const ImageLimits& limits) {
  // A picture of classes has few colours for its size; a photo has many.
  constexpr size_t kMostClasses = 40;
  try {
    const ColourCounts colours = count_colours(read_image(labels, limits));
    if (colours.empty()) return {};
    RgbLabels rgb;
    rgb.equal_channels = std::ranges::all_of(colours, [](const auto& entry) {
      return entry.first[0] == entry.first[1] && entry.first[1] == entry.first[2];
    });
    rgb.palette = palette_of(colours);
    if (colours.size() <= kMostClasses) {
      for (const auto& [colour, pixels] : colours) rgb.colours.push_back(colour);
    }
    if (!rgb.equal_channels && rgb.palette.empty() && rgb.colours.empty()) return {};
    return rgb;
  } catch (const Error&) {
    return {};
  }
}

LabelBorders borders_of(const LabelMap& map) {
  LabelBorders borders;
  const auto look = [&](int a, int b, int c) {
    if (a == kIgnoreIndex || b == kIgnoreIndex) return;
    borders.steps += a != b;
    borders.between += c != kIgnoreIndex && ((a < b && b < c) || (a > b && b > c));
  };
  const size_t width = map.width;
  for (int y = 0; y < map.height; ++y) {
    const uint16_t* row = &map.labels[y * width];
    for (int x = 0; x + 2 < map.width; ++x) look(row[x], row[x + 1], row[x + 2]);
    if (y + 2 >= map.height) continue;
    for (size_t x = 0; x < width; ++x) look(row[x], row[x + width], row[x + 2 * width]);
  }
  return borders;
}

std::vector<std::pair<uint16_t, uint64_t>> count_values(const LabelMap& map) {
  std::vector<uint64_t> pixels(size_t{kIgnoreIndex} + 1);
  for (const uint16_t value : map.labels) ++pixels[value];
  std::vector<std::pair<uint16_t, uint64_t>> values;
  for (size_t value = 0; value < pixels.size(); ++value) {
    if (pixels[value] > 0) values.emplace_back(static_cast<uint16_t>(value), pixels[value]);
  }
  return values;
}

// 255 marks void in files of 8 bits, and in those of 16 where no class has that value.
void add(LabelCount& count, uint64_t pixels, const std::string& name) {
  if (count.files++ == 0) count.first = name;
  count.pixels += pixels;
}

}  // namespace

bool is_void(int value) { return value == kIgnoreIndex || value == 255; }

double ratio(uint64_t part, uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

ImageLabelStats read_image_label_stats(const DatasetInfo& info, const LabelledFile& files) {
  ImageLabelStats stats;
  try {
    const std::vector<std::byte> bytes = read_bytes(info.folder / files.photo);
    const Image photo = decode_image(bytes, (info.folder / files.photo).string(), info.limits);
    stats.image_warning = photo.warning;
    stats.orientation = orientation_in_file(bytes);
    stats.image_size = {photo.width, photo.height};
    stats.hash = image_hash(photo);
  } catch (const Error& error) {
    stats.image_error = error.what();
  }
  try {
    const LabelMap map = read_label_map(info.folder / files.labels, info.limits);
    stats.label_size = {map.width, map.height};
    stats.values = count_values(map);
    stats.borders = borders_of(map);
  } catch (const Error& error) {
    stats.label_error = error.what();
    stats.rgb = look_at_rgb(info.folder / files.labels, info.limits);
  }
  return stats;
}

double LabelHistogram::share(int value) const {
  const auto count = values.find(value);
  return count == values.end() ? 0 : ratio(count->second.pixels, pixels);
}

double LabelHistogram::void_share() const { return ratio(void_pixels.pixels, pixels); }

void add_to_histogram(LabelHistogram& histogram, const std::vector<LabelledFile>& pairs,
                      const std::vector<ImageLabelStats>& stats, size_t label_files) {
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].label_files != label_files) continue;
    histogram.borders.add(stats[i].borders);
    for (const auto& [value, pixels] : stats[i].values) {
      add(is_void(value) ? histogram.void_pixels : histogram.values[value], pixels, pairs[i].name);
      histogram.pixels += pixels;
    }
  }
}

ClassHistogram class_histogram(const DatasetInfo& info, const std::vector<LabelledFile>& pairs,
                               const std::vector<ImageLabelStats>& stats) {
  ClassHistogram histogram{std::vector<LabelCount>(info.classes.size())};
  for (size_t i = 0; i < pairs.size(); ++i) {
    const LabelMapping& mapping = info.mappings[pairs[i].label_files];
    for (const auto& [value, pixels] : stats[i].values) {
      histogram.pixels += pixels;
      const int label = mapping[value];
      if (label == kIgnoreIndex || label == LabelMapping::kNoClass) continue;
      add(histogram.classes[label], pixels, pairs[i].name);
      histogram.labelled += pixels;
    }
  }
  return histogram;
}

}  // namespace tagclip
