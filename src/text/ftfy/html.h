#pragma once

#include <string>
#include <string_view>

namespace tagclip {

// Replaces HTML's character references as a browser reads them, once: those by name, also where the
// semicolon is missing (the longest name that fits: `&notit` is `¬it`), and those by number, also
// of Windows-1252 (&#150;). Numbers of no character give U+FFFD; those of control characters,
// nothing.
std::u32string unescape_html(std::u32string_view text);

// The same for references that end in a semicolon only. A name in capitals that HTML does not have
// stands for the upper case of what its small letters mean: `&EACUTE;`.
std::u32string unescape_closed_html(std::u32string_view text);

}  // namespace tagclip
