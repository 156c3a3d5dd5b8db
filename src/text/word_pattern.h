#pragma once

#include <string_view>
#include <vector>

namespace tagclip {

// Cuts a valid UTF-8 text into the words that are encoded one by one, as CLIP's regular expression
// does (ignoring case): <|startoftext|> | <|endoftext|> | 's | 't | 're | 've | 'm | 'll | 'd |
// a run of letters | one number | a run of anything else but white space.
std::vector<std::string_view> split_words(std::string_view text);

}  // namespace tagclip
