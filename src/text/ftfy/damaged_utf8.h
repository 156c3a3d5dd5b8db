#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tagclip {

// UTF-8 that came through a wrong decoding may also have lost some of its bytes on the way.

// Puts back the byte A0 (a no-break space to other encodings) where a space breaks a sequence that
// is common in UTF-8. After C3 the space usually was a real one too: `voil\xC3 le` is `voilà le`.
std::string restore_no_break_spaces(std::string_view bytes);

// Writes U+FFFD for every sequence with continuation bytes lost to 0x1A, or one to a question mark.
std::string replace_lossy_sequences(std::string_view bytes);

// Strict UTF-8, and besides the forms that Java and old databases write: C0 80 for U+0000, and six
// bytes for a pair of surrogates. Nothing for other bytes.
std::optional<std::u32string> decode_utf8_variants(std::string_view bytes);

}  // namespace tagclip
