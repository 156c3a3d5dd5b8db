#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/geometry.h"
#include "data/split_files.h"
#include "data_check/photo_print.h"

namespace tagclip {

// What data check learns from a photo and its label file, of which nothing else is kept.
struct PairFacts {
  std::string photo_error, labels_error;  // why a file cannot be read; empty: it can
  Size photo, labels;
  PhotoPrint print;
  std::vector<std::pair<uint16_t, uint64_t>> values;  // label value → pixels, as stored; sorted
  std::string_view colours_of;  // the palette whose colours an RGB label file shows

  bool readable() const { return photo_error.empty() && labels_error.empty(); }
};

// Reads both files. Does not throw for what is wrong with them.
PairFacts inspect(const std::filesystem::path& folder, const LabelledFile& files);

}  // namespace tagclip
