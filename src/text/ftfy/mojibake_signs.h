#pragma once

#include <string_view>

namespace tagclip {

// True if a text holds two to four neighbouring characters that hardly occur in a language, but
// often where UTF-8 was read in another encoding: a capital with accent before a symbol (`Ã©` as
// `Ã` and `©`), a lower-case letter before an accented capital, box-drawing next to letters, and so
// on. Control characters U+0080 to U+009F are signs by themselves.
bool has_mojibake_signs(std::u32string_view text);

}  // namespace tagclip
