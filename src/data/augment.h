#pragma once

#include <random>

#include "data/image_ops.h"
#include "data/photometric.h"

namespace tagclip {

// The training augmentation (Section 4 of the paper; mmsegmentation's order): resize, crop, flip,
// photometric distortion, normalize, pad. `draw_*` make the decisions from a generator, so that a
// sample depends on its seed alone; `augment` carries them out.
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

// True if the part `box` of `labels`, resized to `size` by resize_nearest, has more than one class
// and none that covers `max_ratio` or more of its labelled pixels. Pixels are counted in the
// source; nothing is resized.
bool crop_is_mixed(const LabelMap& labels, Size size, const CropBox& box, double max_ratio);

// A random square of `crop_size`; smaller images give smaller crops. Ten candidates are tested with
// crop_is_mixed; when all fail, the eleventh is taken untested. With a `max_ratio` of 1 or more the
// first is taken.
CropBox draw_crop(const LabelMap& labels, Size size, int crop_size, double max_ratio,
                  std::mt19937_64& random);
// The same without a condition, for images without labels.
CropBox draw_crop(Size source, int crop_size, std::mt19937_64& random);

// The decisions for one image.
struct Augmentation {
  Size size;    // of the whole resized image
  CropBox box;  // in the resized image
  bool flip = false;
  Photometric photometric;
};
Augmentation draw_augmentation(const LabelMap& labels, const AugmentOptions& options,
                               std::mt19937_64& random);

// Augments an image and its labels, of the same size. Reads the crop size and the normalization of
// `options` only. Writes floats [3, crop_size, crop_size] to `pixels` and returns the labels
// [crop_size, crop_size].
LabelMap augment(const Image& image, const LabelMap& labels, const AugmentOptions& options,
                 const Augmentation& decision, float* pixels);
// Draws and applies.
LabelMap augment(const Image& image, const LabelMap& labels, const AugmentOptions& options,
                 std::mt19937_64& random, float* pixels);

}  // namespace tagclip
