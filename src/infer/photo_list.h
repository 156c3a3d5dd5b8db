#pragma once

#include <filesystem>
#include <istream>
#include <string>
#include <vector>

namespace tagclip {

// The photos that `inputs` name, each once, in the order given:
//  - a file, whether it exists or not;
//  - a folder: the .jpg, .jpeg, .png and .webp files directly in it, without the overlays and label
//    files that this program writes, in natural order (photo2 before photo10);
//  - a pattern with *, ? or [...], where no file has that very name: what it matches, in natural
//    order;
//  - "-": one file, folder or pattern per line of `list`.
// Throws Error(kBadInput) for a folder without photos and a pattern that nothing matches.
std::vector<std::filesystem::path> list_photos(const std::vector<std::string>& inputs,
                                               std::istream& list);

// True if `a` comes before `b` when numbers in them count as numbers.
bool natural_less(const std::string& a, const std::string& b);

}  // namespace tagclip
