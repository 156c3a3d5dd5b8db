#pragma once

#include <concepts>
#include <type_traits>

#include "base/fields.h"
#include "tagclip/outputs.h"

// The one list of the settings of outputs; see infer/options.h for those of inference.
namespace tagclip {

inline const Choices<SmallRegions> kSmallRegionsNames = {{"merge", SmallRegions::kMerge},
                                                         {"drop", SmallRegions::kDrop}};

template <class Options>
  requires std::same_as<std::remove_const_t<Options>, OutputOptions>
FieldsOf<Options> fields(Options& options) {
  FieldsOf<Options> list;
  list.add("output_format", options.output_format,
           "What is written, with commas between: labels, overlay, side-by-side, masks, cutouts, "
           "probabilities, probabilities-png, coco, coco-rle, labelme, labelme-masks, yolo, "
           "cvat-masks, label-studio, geojson, fiftyone; docs/outputs.md says what each is");
  list.add("instances", options.instances,
           "Annotations are of connected regions, each an object, instead of one per class");
  list.add("min_region", options.min_region, {0, 0x1p40},
           "Connected regions of fewer pixels are merged or dropped; 0 = all stay");
  list.add("small_regions", options.small_regions, kSmallRegionsNames,
           "What becomes of them. merge: they join the class that they share the longest border "
           "with; drop: they are background where that is a class, and unlabelled elsewhere");
  list.add("simplify", options.simplify, {0, 1000},
           "Outlines may leave the regions' borders by this many pixels to have fewer points; 0 = "
           "they follow every pixel");
  return list;
}

}  // namespace tagclip
