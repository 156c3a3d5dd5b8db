#include "support/places.h"

namespace tagclip {

std::filesystem::path source_folder() { return TAGCLIP_SOURCE_DIR; }

std::filesystem::path shared_folder() { return TAGCLIP_SHARED_DATA; }

}  // namespace tagclip
