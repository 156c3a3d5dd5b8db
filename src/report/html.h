#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "image/image.h"
#include "image/label_map.h"

namespace tagclip {

// Escapes untrusted text for HTML, between tags or in a quoted attribute. Control characters become
// spaces, malformed UTF-8 becomes U+FFFD.
std::string escaped(std::string_view text);

// Returns the image (WebP, lossy) as the value of an img's src.
std::string data_uri(const Image& image);

// Returns the colour in CSS: "rgb(1 2 3)".
std::string css_colour(Colour colour);

// Returns the CSS classes that give a group its colour, and a dash pattern where the colours
// repeat.
std::string group_class(size_t group);

}  // namespace tagclip
