#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "image/image.h"
#include "label_formats/conversion_report.h"

namespace tagclip {

struct LabelConvertOptions {
  std::filesystem::path source;   // an export's folder, or one annotation file
  std::filesystem::path output;   // a folder that is not there yet, or empty
  std::string from = "auto";      // one of label_format_names()
  std::filesystem::path classes;  // the user's list of classes or colours; empty: the source's own
  Unlabelled unlabelled = Unlabelled::kBackground;
  std::optional<double> val_share;  // without it the source's own lists, else a fifth
  int64_t seed = 1;                 // of the choice of validation photos
  bool link_photos = false;         // symbolic links instead of copies
  ImageLimits limits;               // of photos and label files
};

// Is called with (steps done, steps in all); returning false stops the conversion.
using ConvertProgress = std::function<bool(size_t, size_t)>;

// Makes a folder set of an annotation tool's export: images/, labels/, classes.txt, train.txt,
// val.txt and conversion.json. The folder appears when it is complete, or not at all; nothing when
// it was stopped. A photo that cannot be used is left out, with the reason. Throws Error: kUsage
// for options that cannot be, kBadInput when nothing can be read or no photo is left, kFailure when
// the folder cannot be written.
std::optional<LabelConversion> convert_labels(const LabelConvertOptions& options,
                                              const ConvertProgress& progress);

}  // namespace tagclip
