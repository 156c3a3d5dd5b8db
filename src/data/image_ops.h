#pragma once

#include <vector>

#include "image/image.h"
#include "image/label_map.h"
#include "image/pixel_normalization.h"

namespace tagclip {

// The image operations of mmsegmentation 0.24's pipelines, to the byte, whatever the processor.

struct Size {
  int width = 0;
  int height = 0;
  friend bool operator==(const Size&, const Size&) = default;
};

struct CropBox {
  int x = 0, y = 0, width = 0, height = 0;
  friend bool operator==(const CropBox&, const CropBox&) = default;
};

// The largest size of the same aspect ratio inside (long_side, short_side), in either orientation,
// rounded as mmcv does. Neither side becomes less than 1.
Size fit_within(Size source, int long_side, int short_side);
// The size of the same aspect ratio with that short side; the long side is not bounded (the
// released min_size). Throws Error(kBadInput) when that needs more than 2^28 pixels.
Size cover_short_side(Size source, int short_side);

// `box` must lie inside the image.
Image crop(const Image& image, const CropBox& box);
LabelMap crop(const LabelMap& map, const CropBox& box);

Image flip_horizontal(const Image& image);
LabelMap flip_horizontal(const LabelMap& map);

// Pads with kIgnoreIndex at the right and bottom. `size` is at least the map's.
LabelMap pad(const LabelMap& map, Size size);

// --- OpenCV's resizing. Sizes are positive. ---

// INTER_LINEAR on 8 bits: fixed point, 11-bit weights.
Image resize_bilinear(const Image& image, Size size);
// Computes only the part `window` of the resized image, at the cost of that part.
Image resize_bilinear(const Image& image, Size size, const CropBox& window);

// INTER_NEAREST along one axis, `source` pixels resized to `target`: the source indices of `count`
// outputs from `begin` on.
std::vector<int> nearest_indices(int source, int target, int begin, int count);
LabelMap resize_nearest(const LabelMap& map, Size size);
LabelMap resize_nearest(const LabelMap& map, Size size, const CropBox& window);

// --- Pixels for the model ---

// (pixel - mean) / std into planes [3, size.height, size.width] at `out`, padded with 0 at
// the right and bottom. `size` is at least the image's.
void normalize_into(const Image& image, const PixelNormalization& normalization, Size size,
                    float* out);

}  // namespace tagclip
