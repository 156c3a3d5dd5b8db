#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// Cleans a text as CLIP does before the byte-pair encoding: ftfy's repairs, HTML unescaping twice,
// white space runs to one space, trimming, lower case (full Unicode rules).
// Throws Error(kBadInput) for invalid UTF-8, naming the offset of the first bad byte, and for a
// text above 16 MiB.
std::string clean_text(std::string_view text);

// Cuts a valid UTF-8 text into the words that are encoded one by one, as CLIP's regular expression
// does (ignoring case): <|startoftext|> | <|endoftext|> | 's | 't | 're | 've | 'm | 'll | 'd |
// a run of letters | one number | a run of anything else but white space.
std::vector<std::string_view> split_words(std::string_view text);

}  // namespace tagclip
