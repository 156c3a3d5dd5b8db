#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/dataset_info.h"
#include "data/image_ops.h"
#include "data/split_files.h"
#include "data_check/image_hash.h"
#include "image/exif.h"
#include "image/palette.h"

namespace tagclip {

// A label file that is an RGB picture, which read_label_map refuses.
struct RgbLabels {
  bool equal_channels = false;  // each pixel is grey: the channels may hold the index
  std::string_view palette;     // whose colours it has; empty: of no palette that is known
  std::vector<Colour> colours;  // the most frequent first; empty: too many for classes
};

// How often neighbouring labels differ, and how often a label lies between its two neighbours:
// hardly ever, unless labels were resized like photos.
struct LabelBorders {
  uint64_t steps = 0, between = 0;

  void add(const LabelBorders& other) {
    steps += other.steps;
    between += other.between;
  }
};

// The statistics of an image and its label file. The pixels themselves are not kept.
struct ImageLabelStats {
  std::string image_error, label_error;  // why a file cannot be read; empty when it can
  std::string image_warning;             // see Image::warning
  Size image_size, label_size;
  ImageHash hash;
  std::vector<std::pair<uint16_t, uint64_t>> values;  // label value → pixels, as stored; sorted
  Orientation orientation = Orientation::kTopLeft;    // in which the image's file holds it
  LabelBorders borders;
  std::optional<RgbLabels> rgb;  // of a label file that cannot be read because it is one

  bool readable() const { return image_error.empty() && label_error.empty(); }
};

// True if a stored label is void in the label files of all data sets.
bool is_void(int value);
// part / all; 0 of nothing.
double ratio(uint64_t part, uint64_t all);

// Reads both files of a pair of the set. What is wrong with them is reported in the result, not
// thrown.
ImageLabelStats read_image_label_stats(const DatasetInfo& info, const LabelledFile& files);

// The number of pixels and files in which a label occurs.
struct LabelCount {
  uint64_t pixels = 0;
  uint64_t files = 0;  // that have the label
  std::string first;   // name of the first of them
};

// The occurrences of each stored value in label files of one kind.
struct LabelHistogram {
  std::map<int, LabelCount> values;  // without void
  LabelCount void_pixels;
  LabelBorders borders;
  uint64_t pixels = 0;  // all

  bool has(int value) const { return values.contains(value); }
  double share(int value) const;  // of all pixels
  double void_share() const;
};

// Adds those of `pairs` whose labels are of the kind `label_files`; `stats` has an entry per pair.
void add_to_histogram(LabelHistogram& histogram, const std::vector<LabelledFile>& pairs,
                      const std::vector<ImageLabelStats>& stats, size_t label_files);

// The occurrences of each class in a split.
struct ClassHistogram {
  std::vector<LabelCount> classes;
  uint64_t labelled = 0;  // pixels of a class
  uint64_t pixels = 0;    // all, with void and background
};
ClassHistogram class_histogram(const DatasetInfo& info, const std::vector<LabelledFile>& pairs,
                               const std::vector<ImageLabelStats>& stats);

}  // namespace tagclip
