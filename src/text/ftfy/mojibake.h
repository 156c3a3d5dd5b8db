#pragma once

#include <string>
#include <string_view>

namespace tagclip {

// Repairs UTF-8 that was read in another encoding, once or several times: `schÃ¶n` becomes `schön`.
// The whole text is read again in the first encoding in which that gives UTF-8; if there is none,
// then each part that looks like it. Only texts with mojibake signs are touched, so proper words
// stay as they are.
std::u32string repair_mojibake(std::u32string_view text);

}  // namespace tagclip
