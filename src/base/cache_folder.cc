#include "base/cache_folder.h"

#include <cstdlib>

#include "base/error.h"

namespace tagclip {

std::filesystem::path cache_folder() {
  const auto variable = [](const char* name) -> std::filesystem::path {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (const auto own = variable("TAGCLIP_HOME"); !own.empty()) return own;
  // The XDG specification has relative paths ignored.
  if (const auto cache = variable("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "tagclip";
  if (const auto home = variable("HOME"); !home.empty()) return home / ".cache" / "tagclip";
  throw failure("cannot tell where the cache is: HOME is not set",
                "name a folder with the variable TAGCLIP_HOME");
}

}  // namespace tagclip
