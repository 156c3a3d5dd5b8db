#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tagclip {

using Colour = std::array<uint8_t, 3>;  // red, green, blue

// The colours in which this program shows `classes` classes, in label files, overlays and reports:
// each as far from all before it as the eye can tell. The first n are the same for any number.
std::vector<Colour> result_palette(size_t classes);

// The colours of PASCAL VOC's palette by label value, continued by its own rule beyond 256 entries.
// Entry 0, the background, is black.
std::vector<Colour> voc_palette(size_t classes);

// The colours in which a published data set shows its classes, by label value.
struct LabelPalette {
  std::string_view title;  // the data set's name
  std::vector<Colour> colours;
};

// Returns the palettes of PASCAL VOC (with background) and of mmsegmentation's PASCAL Context (with
// background) and COCO-Stuff.
const std::vector<LabelPalette>& label_palettes();

}  // namespace tagclip
