#pragma once

#include <random>

#include "data/geometry.h"
#include "data/normalise.h"
#include "data/photometric.h"
#include "data/random_crop.h"
#include "data/resize.h"

namespace tagclip {

// The image operations of mmsegmentation 0.24's pipelines, to the byte (golden/pipeline).
// Operations are plain functions with their decisions as arguments; `draw_*` make the decisions
// from a generator, so a sample depends on nothing but its seed.

// The training augmentation (spec section 6, in order).
struct AugmentOptions {
  int long_side = 2048;
  int short_side = 512;
  double min_scale = 0.5, max_scale = 2.0;
  int crop_size = 512;
  double max_class_ratio = 0.75;
  double flip_probability = 0.5;
  bool photometric = true;
  PixelNormalization normalization;
};

// What happens to one picture.
struct Augmentation {
  Size size;    // of the whole resized picture
  CropBox box;  // in the resized picture
  bool flip = false;
  Photometric photometric;
};
Augmentation draw_augmentation(const LabelMap& labels, const AugmentOptions& options,
                               std::mt19937_64& random);

// `image` and `labels` are of one size. Of `options` only the crop size and the normalization
// count. Writes the floats [3, crop_size, crop_size] to `pixels`, returns the labels [crop_size,
// crop_size].
LabelMap augment(const Image& image, const LabelMap& labels, const AugmentOptions& options,
                 const Augmentation& decision, float* pixels);
// Draws and applies.
LabelMap augment(const Image& image, const LabelMap& labels, const AugmentOptions& options,
                 std::mt19937_64& random, float* pixels);

}  // namespace tagclip
