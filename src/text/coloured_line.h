#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tagclip {

// A line of a class list that gives the class a colour or a value, taken apart: CVAT's
// `name:r,g,b:parts:actions`, `name,r,g,b`, `r g b name`, `name #rrggbb`, `0, name`.
struct ColouredLine {
  std::string text;                // all of it
  std::string name;                // without the numbers
  std::vector<int> before, after;  // the numbers on either side of the name
  std::optional<std::array<uint8_t, 3>> hex;

  bool has_numbers() const { return !before.empty() || !after.empty() || hex; }
  bool has_colour() const { return before.size() >= 3 || after.size() >= 3 || hex; }
};

// Never throws. A line without numbers has its words in `name`.
ColouredLine parse_coloured_line(std::string_view text);

// The colour that "#rrggbb" stands for; nothing for any other text.
std::optional<std::array<uint8_t, 3>> hex_colour(std::string_view word);

}  // namespace tagclip
