#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "image/image.h"
#include "image/label_map.h"

namespace tagclip {

// A stranger's text as it may stand in HTML, between tags or in a quoted attribute. What is not
// UTF-8, and control characters, become a space or "?".
std::string escaped(std::string_view text);

// The picture as the value of an img's src, so that the page needs no other file.
std::string data_uri(const Image& image);

// "rgb(1 2 3)"
std::string css_colour(Colour colour);

// The CSS classes that give a group its colour, and a dash pattern where the colours repeat.
std::string group_class(size_t group);

}  // namespace tagclip
