#include "data_check/image_label_stats.h"

#include <algorithm>

#include "base/error.h"
#include "image/label_map.h"
#include "image/palette.h"

namespace tagclip {
namespace {

// Returns the name of the palette that an RGB image takes its colours from, if any.
std::string_view palette_of(const Image& picture) {
  // Boundaries may be drawn in white or VOC's cream, which are in no palette.
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

// Returns the palette of a label file that was saved as an RGB image, which read_label_map refuses.
std::string_view palette_of_labels(const std::filesystem::path& labels, const ImageLimits& limits) {
  try {
    return palette_of(read_image(labels, limits));
  } catch (const Error&) {
    return {};
  }
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
    const Image photo = read_image(info.folder / files.photo, info.limits);
    stats.image_warning = photo.warning;
    stats.image_size = {photo.width, photo.height};
    stats.hash = image_hash(photo);
  } catch (const Error& error) {
    stats.image_error = error.what();
  }
  try {
    const LabelMap map = read_label_map(info.folder / files.labels, info.limits);
    stats.label_size = {map.width, map.height};
    stats.values = count_values(map);
  } catch (const Error& error) {
    stats.label_error = error.what();
    stats.rgb_palette = palette_of_labels(info.folder / files.labels, info.limits);
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
