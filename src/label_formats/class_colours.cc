#include "label_formats/class_colours.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "text/coloured_line.h"

namespace tagclip {
namespace {

constexpr uint64_t kMostBytes = 4 << 20;

// A line of the list, and where it stands.
struct Line : ColouredLine {
  std::string where;
};

std::optional<Colour> colour_of(const Line& line) {
  if (line.hex) return line.hex;
  const auto& numbers = line.after.size() >= 3 ? line.after : line.before;
  if (numbers.size() < 3) return {};
  const size_t first = line.after.size() >= 3 ? 0 : numbers.size() - 3;
  Colour colour;
  for (size_t c = 0; c < 3; ++c) {
    const int number = numbers[first + c];
    if (number < 0 || number > 255) {
      throw bad_input(fmt::format("{}: {} is no part of a colour", line.where, number),
                      "red, green and blue go from 0 to 255");
    }
    colour[c] = static_cast<uint8_t>(number);
  }
  return colour;
}

std::optional<int> value_of(const Line& line) {
  if (line.before.size() == 1) return line.before[0];
  if (line.before.empty() && line.after.size() == 1) return line.after[0];
  return {};
}

void check_distinct(const std::vector<MaskClass>& classes, const std::vector<Line>& lines) {
  std::map<uint16_t, size_t> values;
  std::map<Colour, size_t> colours;
  for (size_t i = 0; i < classes.size(); ++i) {
    const MaskClass& entry = classes[i];
    if (entry.colour.has_value() != classes[0].colour.has_value()) {
      throw bad_input(lines[i].where + ": some lines have a colour, others none");
    }
    if (!entry.colour && !values.emplace(entry.value, i).second) {
      throw bad_input(
          fmt::format("{}: another class has the value {}", lines[i].where, entry.value));
    }
    if (entry.colour && !colours.emplace(*entry.colour, i).second) {
      throw bad_input(lines[i].where + ": another class has that colour");
    }
  }
}

}  // namespace

std::vector<MaskClass> read_class_list(const std::filesystem::path& path) {
  std::vector<Line> lines;
  size_t number = 0;
  const std::string content = read_text(path, kMostBytes);
  for (const std::string_view text : split_lines(content)) {
    const std::string where = fmt::format("{}, line {}", path.string(), ++number);
    if (!is_utf8(text)) throw bad_input(where + " is not UTF-8", "save the list as UTF-8");
    if (text.empty() || (text.front() == '#' && !hex_colour(text.substr(0, 7)))) continue;
    lines.push_back({parse_coloured_line(text), where});
  }
  const bool has_heading =
      lines.size() > 1 && !lines[0].has_numbers() && lines[1].has_numbers() &&
      std::all_of(lines.begin() + 1, lines.end(), [](const Line& l) { return l.has_numbers(); });
  if (has_heading) lines.erase(lines.begin());
  // LabelMe's list of all labels begins with the one that has the value -1.
  if (!lines.empty() && lines[0].text == "__ignore__") lines.erase(lines.begin());
  const bool names_only =
      std::ranges::none_of(lines, [](const Line& line) { return line.has_numbers(); });
  std::vector<MaskClass> classes;
  for (const Line& line : lines) {
    MaskClass entry{names_only || line.name.empty() ? line.text : line.name};
    if (!line.name.empty()) entry.colour = colour_of(line);
    const int value = entry.colour || line.name.empty()
                          ? static_cast<int>(classes.size())
                          : value_of(line).value_or(static_cast<int>(classes.size()));
    if (value < 0 || value > 65000) {
      throw bad_input(fmt::format("{}: {} is no value of a label file", line.where, value));
    }
    entry.value = static_cast<uint16_t>(value);
    classes.push_back(std::move(entry));
  }
  if (classes.empty()) throw bad_input(path.string() + " names no class");
  check_distinct(classes, lines);
  return classes;
}

}  // namespace tagclip
