#pragma once

#include "data/image_ops.h"
#include "image/image.h"
#include "image/label_map.h"

namespace tagclip {

// Background and text colours of legends and grids.
inline constexpr Colour kBackgroundColour{250, 250, 248};
inline constexpr Colour kTextColour{32, 33, 36}, kFaintTextColour{117, 120, 126};

// Returns an image of one colour.
Image solid_image(int width, int height, Colour colour);

// Fills a rectangle, clipped to the image.
void fill_rectangle(Image& image, int left, int top, int width, int height, Colour colour);

// Copies `part` into an image, which must contain its rectangle.
void paste(const Image& part, int left, int top, Image& onto);

// Returns the image resized for display: averaged when it gets smaller, bilinear when larger.
Image preview(const Image& image, Size size);

}  // namespace tagclip
