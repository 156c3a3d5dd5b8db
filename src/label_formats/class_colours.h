#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "image/palette.h"

namespace tagclip {

// A line of a class list.
struct MaskClass {
  std::string name;              // as it stands there
  uint16_t value = 0;            // in pictures of indices: as the line says, else counted from 0
  std::optional<Colour> colour;  // in coloured pictures
};

// Reads a list of classes, perhaps with their colours: a name a line; CVAT's labelmap.txt
// (`name:r,g,b:parts:actions`); CSV of names and colours (`name,r,g,b`) or of values and names
// (`0, crack`), with or without headings; `r g b name`; `name #rrggbb`. Lines that begin with # are
// comments. Throws Error(kBadInput) with file and line: unreadable, no class at all, a repeated
// value or colour, colours for some lines only.
std::vector<MaskClass> read_class_list(const std::filesystem::path& path);

}  // namespace tagclip
