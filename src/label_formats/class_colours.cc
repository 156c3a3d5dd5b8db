#include "label_formats/class_colours.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace tagclip {
namespace {

constexpr uint64_t kMostBytes = 4 << 20;

// Holds a line, taken apart: numbers before and after its name.
struct Line {
  std::string where, text;
  std::string name;
  std::vector<int> before, after;
  std::optional<Colour> hex;

  bool has_numbers() const { return !before.empty() || !after.empty() || hex; }
};

std::vector<std::string> split_at(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find_first_of(separators, begin), text.size());
    const std::string_view part = trim(text.substr(begin, end - begin));
    if (!part.empty()) parts.emplace_back(part);
    begin = end + 1;
  }
  return parts;
}

std::optional<std::vector<int>> numbers_in(const std::string& field) {
  std::vector<int> numbers;
  for (const std::string& word : split_at(field, " ")) {
    const auto number = parse_number<int>(word);
    if (!number) return {};
    numbers.push_back(*number);
  }
  return numbers;
}

std::optional<Colour> hex_colour(std::string_view word) {
  if (word.size() != 7 || word[0] != '#') return {};
  uint32_t value = 0;
  for (const char c : word.substr(1)) {
    const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!letter && (c < '0' || c > '9')) return {};
    value = value << 4 | static_cast<uint32_t>(letter ? (c | 0x20) - 'a' + 10 : c - '0');
  }
  return Colour{static_cast<uint8_t>(value >> 16), static_cast<uint8_t>(value >> 8),
                static_cast<uint8_t>(value)};
}

// A line of words with a colour at its begin or end: "64 128 64 tree".
std::vector<std::string> fields_of(const std::string& text) {
  std::vector<std::string> fields = split_at(text, ",:;\t");
  if (fields.size() != 1) return fields;
  std::vector<std::string> words = split_at(text, " ");
  if (words.size() > 1 && hex_colour(words.back())) {
    return {std::string(trim(text.substr(0, text.rfind(words.back())))), words.back()};
  }
  if (words.size() < 4) return fields;
  const auto are_numbers = [&](size_t from) {
    return std::all_of(words.begin() + static_cast<ptrdiff_t>(from),
                       words.begin() + static_cast<ptrdiff_t>(from) + 3,
                       [](const std::string& word) { return parse_number<int>(word).has_value(); });
  };
  if (!are_numbers(0) && !are_numbers(words.size() - 3)) return fields;
  return words;
}

Line parse_line(const std::string& where, const std::string& text) {
  Line line{where, text};
  for (const std::string& field : fields_of(text)) {
    const auto numbers = numbers_in(field);
    if (numbers) {
      auto& side = line.name.empty() ? line.before : line.after;
      side.insert(side.end(), numbers->begin(), numbers->end());
    } else if (const auto hex = hex_colour(field)) {
      line.hex = hex;
    } else if (line.name.empty() || line.after.empty()) {
      line.name += (line.name.empty() ? "" : " ") + field;
    }
  }
  return line;
}

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
    lines.push_back(parse_line(where, std::string(text)));
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
