#pragma once

#include <string>
#include <string_view>

namespace tagclip {

// What CLIP does to a text before the byte-pair encoding: ftfy's repairs, HTML unescaping twice,
// white space runs to one space, trimming, lower case (full Unicode rules).
// Throws Error(kBadInput) for invalid UTF-8, naming the offset of the first bad byte, and for a
// text above 16 MiB.
std::string clean_text(std::string_view text);

}  // namespace tagclip
