#include "bench/format.h"

#include <c10/util/StringUtil.h>

#include <array>
#include <cstdio>

#include "base/error.h"

namespace tagclip::bench {

std::string formatted(const char* format, double value) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string rounded(double value) { return formatted(value < 100 ? "%.3g" : "%.0f", value); }

std::string range(const Spread& spread) {
  return c10::str(rounded(spread.median), " (", rounded(spread.min), " to ", rounded(spread.max),
                  ")");
}

Spread milliseconds(const std::vector<double>& seconds) {
  const Spread spread = spread_of(seconds);
  return {1000 * spread.min, 1000 * spread.median, 1000 * spread.max};
}

std::string line(std::span<const std::string> cells, std::span<const size_t> widths) {
  TAGCLIP_CHECK(cells.size() == widths.size(), "a width for every cell");
  std::string text;
  for (size_t i = 0; i < cells.size(); ++i) {
    text += cells[i];
    if (cells[i].size() < widths[i]) text.append(widths[i] - cells[i].size(), ' ');
  }
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

}  // namespace tagclip::bench
