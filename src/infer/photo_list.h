#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace tagclip {

// An entry that gives no photo: a folder that cannot be read or holds none, a pattern that nothing
// matches.
struct UnusableEntry {
  std::string entry;
  Error error;
};

// A sentence for the user about files of a folder that were left out.
struct LeftOut {
  std::string text;
  bool pictures = false;  // there are pictures among them, which somebody may miss
};

struct PhotoList {
  std::vector<std::filesystem::path> photos;  // each once, in the order given
  std::vector<UnusableEntry> unusable;
  std::vector<LeftOut> left_out;
};

// The photos that `inputs` name:
//  - a file, whether it exists or not;
//  - a folder: the files directly in it whose first bytes are those of a JPEG, PNG or WebP,
//    whatever their names, and those named .jpg, .jpeg, .png or .webp, whatever their bytes; in
//    natural order (photo2 before photo10). Hidden files are left out, and so are results of this
//    program, which its record beside them tells (see is_result);
//  - a pattern with *, ? or [...], where no file has that very name: what it matches, in natural
//    order, folders among it as above;
//  - "-": the entries of the list that `read_list` returns, see split_names. Those between NUL
//    characters are names, never patterns.
// Nothing of this ends the list: an entry that gives no photo becomes one of `unusable`. Throws
// what `read_list` throws, and as split_names.
PhotoList list_photos(const std::vector<std::string>& inputs,
                      const std::function<std::string()>& read_list);

// True if `a` comes before `b` when numbers in them count as numbers.
bool natural_less(const std::string& a, const std::string& b);

}  // namespace tagclip
