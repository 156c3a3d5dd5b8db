#pragma once

#include "data/geometry.h"
#include "image/image.h"
#include "image/label_map.h"

namespace tagclip {

// The ground and the letters of pictures that explain themselves.
inline constexpr Colour kPaper{250, 250, 248}, kInk{32, 33, 36}, kFaintInk{117, 120, 126};

// A picture of one colour.
Image filled(int width, int height, Colour colour);

// Fills a rectangle; what lies outside the picture is left out.
void fill(Image& image, int left, int top, int width, int height, Colour colour);

// Copies `part` into a picture that has room for it there.
void paste(const Image& part, int left, int top, Image& onto);

// The photo at a size to look at: averaged down, or enlarged smoothly.
Image preview(const Image& photo, Size size);

}  // namespace tagclip
