#pragma once

#include <filesystem>

namespace tagclip {

// Where the program keeps what it can make or fetch again: $TAGCLIP_HOME, else
// $XDG_CACHE_HOME/tagclip, else ~/.cache/tagclip. Throws Error(kFailure) where none of the
// variables is set.
std::filesystem::path cache_folder();

}  // namespace tagclip
