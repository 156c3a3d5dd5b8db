#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/dataset_info.h"
#include "data/geometry.h"
#include "data/split_files.h"
#include "data_check/image_hash.h"

namespace tagclip {

// What data check learns from a photo and its label file, of which nothing else is kept.
struct ImageLabelStats {
  std::string photo_error, labels_error;  // why a file cannot be read; empty: it can
  Size photo, labels;
  ImageHash print;
  std::vector<std::pair<uint16_t, uint64_t>> values;  // label value → pixels, as stored; sorted
  std::string_view colours_of;  // the palette whose colours an RGB label file shows

  bool readable() const { return photo_error.empty() && labels_error.empty(); }
};

// Reads both files. Does not throw for what is wrong with them.
ImageLabelStats inspect(const std::filesystem::path& folder, const LabelledFile& files);

struct Count {
  uint64_t pixels = 0;
  uint64_t files = 0;  // that hold it
  std::string first;   // name of the first of them
};

// How often each value occurs in label files of one sort, as stored.
struct LabelHistogram {
  std::map<int, Count> values;  // without void
  Count void_pixels;
  uint64_t pixels = 0;  // all

  bool has(int value) const { return values.contains(value); }
  double share(int value) const;  // of all pixels
  double void_share() const;
};

// Of the label files of sort `label_files`, over all pairs.
void add_values(LabelHistogram& census, const std::vector<LabelledFile>& pairs,
                const std::vector<ImageLabelStats>& facts, size_t label_files);

// How often each class occurs in a split.
struct ClassHistogram {
  std::vector<Count> classes;
  uint64_t labelled = 0;  // pixels of a class
  uint64_t pixels = 0;    // all, void and background included
};
ClassHistogram count_classes(const DatasetInfo& info, const std::vector<LabelledFile>& pairs,
                             const std::vector<ImageLabelStats>& facts);

}  // namespace tagclip
