#pragma once

#include <cstddef>
#include <optional>
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

// The orientation in an EXIF block: a TIFF header ("II" or "MM") and what follows it, perhaps
// behind one "Exif\0\0" or several. Nothing where the block is broken or does not tell; kTopLeft
// for a value that is none: it is only advice on how to show the image.
std::optional<Orientation> exif_orientation(std::span<const std::byte> block);

// The orientation that a JPEG, PNG or WebP file asks for, by its EXIF block, or else by XMP, as
// Pillow's exif_transpose takes it; kTopLeft where it asks for none or is no such file. `encoded`
// is the whole file: PNG and WebP may hold the block behind the pixels.
Orientation orientation_in_file(std::span<const std::byte> encoded);

// The orientation that a JPEG, PNG or WebP file asks for; kTopLeft where it asks for none or is no
// such file. `encoded` is the whole file: PNG and WebP may hold it behind the pixels.
Orientation orientation_in_file(std::span<const std::byte> encoded);

// The upright image.
Image upright(Image stored, Orientation orientation);

}  // namespace tagclip
