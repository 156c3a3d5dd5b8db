#pragma once

#include <cstdint>
#include <string>

namespace tagclip {

// What becomes of regions smaller than OutputOptions::min_region.
enum class SmallRegions {
  kMerge,  // they join the class that they share the longest border with
  kDrop,   // they become background where that is a class, and unlabelled elsewhere
};

// Says which files are written of segmented photos, and how. src/outputs/output_options.h gives
// each setting its name, range and help text.
struct OutputOptions {
  // Names of formats with commas between them; docs/outputs.md lists them.
  std::string output_format = "overlay,labels";
  // True if annotations are of connected regions, each an object; else there is one per class.
  bool instances = false;
  // Connected regions of fewer pixels are merged or dropped before anything is written; diagonal
  // neighbours are connected. 0: all stay.
  int64_t min_region = 0;
  SmallRegions small_regions = SmallRegions::kMerge;
  // Outlines may leave the regions' borders by this many pixels to have fewer points; 0: they
  // follow every pixel.
  double simplify = 0;
};

}  // namespace tagclip
