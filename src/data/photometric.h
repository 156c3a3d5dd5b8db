#pragma once

#include <random>

#include "image/image.h"

namespace tagclip {

// Photometric distortion of 8-bit pixels; every step clips and truncates to 8 bits again. Order:
// brightness, contrast when contrast_first, saturation, hue, contrast otherwise.
struct Photometric {
  float brightness = 0;  // added; 0 = off
  float contrast = 1;    // times; 1 = off
  float saturation = 1;  // times; 1 = off
  int hue = 0;           // added to OpenCV's hue (0..179), modulo 180; 0 = off
  bool contrast_first = true;
};

Image distort(Image image, const Photometric& decision);

// Each step on with probability 1/2: brightness within 32, contrast and saturation 0.5 to 1.5, hue
// -18 to 17 (the released range), contrast first or last by a coin.
Photometric draw_photometric(std::mt19937_64& random);

}  // namespace tagclip
