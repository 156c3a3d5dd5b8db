#pragma once

#include "image/image.h"
#include "image/label_map.h"

namespace tagclip {

struct Size {
  int width = 0;
  int height = 0;
  friend bool operator==(const Size&, const Size&) = default;
};

struct CropBox {
  int x = 0, y = 0, width = 0, height = 0;
  friend bool operator==(const CropBox&, const CropBox&) = default;
};

// Keep-ratio sizes (spec sections 6 and 7). Neither side becomes less than 1.
// `fit_within`: the largest size inside (long_side, short_side), either orientation, as mmcv rounds
// it.
Size fit_within(Size source, int long_side, int short_side);
// `cover_short_side`: the short side becomes `short_side`, the long side is not bounded (released
// min_size). Throws Error(kBadInput) when that needs more than 2^28 pixels.
Size cover_short_side(Size source, int short_side);

// The box must lie inside the picture.
Image crop(const Image& image, const CropBox& box);
LabelMap crop(const LabelMap& map, const CropBox& box);

Image flip_horizontal(const Image& image);
LabelMap flip_horizontal(const LabelMap& map);

// Padded at the right and bottom with kIgnore. `size` is at least the map's.
LabelMap pad(const LabelMap& map, Size size);

}  // namespace tagclip
