#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/merges.h"

namespace tagclip {

// Appends the tokens of one word (any bytes, not empty): neighbours merge, the lowest rank first,
// until no merge below token `limit` applies. Time grows as n log n in the bytes of the word.
void append_byte_pairs(const Merges& merges, std::string_view word, int32_t limit,
                       std::vector<int32_t>& ids);

}  // namespace tagclip
