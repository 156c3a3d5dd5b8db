#pragma once

#include <cstddef>
#include <span>

#include "image/image.h"

namespace tagclip {

// The place of the stored rows and columns in the upright image. Values are those of the EXIF tag
// Orientation (0x0112): where the stored first row and first column belong.
enum class Orientation {
  kTopLeft = 1,
  kTopRight = 2,
  kBottomRight = 3,
  kBottomLeft = 4,
  kLeftTop = 5,
  kRightTop = 6,
  kRightBottom = 7,
  kLeftBottom = 8,
};

// The orientation in an EXIF block, which starts with its TIFF header ("II" or "MM").
// kTopLeft where the block is broken or says nothing: it is only advice on how to show the image.
Orientation exif_orientation(std::span<const std::byte> tiff);

// The upright image.
Image upright(Image stored, Orientation orientation);

}  // namespace tagclip
