#pragma once

#include <string>
#include <vector>

#include "image/image.h"
#include "image/label_map.h"

namespace tagclip {

struct LegendEntry {
  Colour colour{};
  std::string name;    // UTF-8
  std::string detail;  // behind the name, in grey
};

// A strip of the given width that explains colours, entries in columns in their order. Names that
// are too long end in an ellipsis; entries that do not fit into `max_rows` rows become "+ n more".
Image draw_legend(const std::vector<LegendEntry>& entries, int width, int max_rows);

}  // namespace tagclip
