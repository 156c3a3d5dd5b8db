#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tagclip {

// Levenshtein distance in bytes: insertions, deletions and substitutions.
size_t edit_distance(const std::string& a, const std::string& b);

// The candidate a mistyped `word` most likely meant: the nearest one within a third of the word's
// length (at least 2 edits); nothing when none is that near.
std::optional<std::string> nearest(const std::string& word,
                                   const std::vector<std::string>& candidates);

}  // namespace tagclip
