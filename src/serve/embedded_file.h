#pragma once

#include <span>
#include <string_view>

namespace tagclip {

// A file that is part of the program. cmake/Embed.cmake makes tables of them: the code declares and
// calls std::span<const EmbeddedFile> embedded_NAME().
struct EmbeddedFile {
  std::string_view path;  // below its folder: "assets/page.js"
  std::string_view bytes;
};

}  // namespace tagclip
