#pragma once

#include <string>
#include <string_view>

namespace tagclip {

// Repairs a text as ftfy 6.3's fix_text does by default, line by line, until nothing changes: HTML
// references (unless a `<` shows that this is HTML), mojibake, ligatures, full-width and half-width
// forms, curly quotes, line breaks, terminal escapes, control characters, normalization form C.
// Repairs a text that is mojibake by our own signs (mojibake_signs.h).
std::u32string repair_text(std::u32string_view text);

}  // namespace tagclip
