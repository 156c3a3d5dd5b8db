#include "text/coloured_line.h"

#include <algorithm>

#include "base/text.h"

namespace tagclip {
namespace {

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

// The fields of a line; of a line of words with a colour at its begin or end, "64 128 64 tree", its
// words.
std::vector<std::string> fields_of(std::string_view text) {
  std::vector<std::string> fields = split_at(text, ",:;\t");
  if (fields.size() != 1) return fields;
  std::vector<std::string> words = split_at(text, " ");
  if (words.size() > 1 && hex_colour(words.back())) {
    return {std::string(trim(text.substr(0, text.rfind(words.back())))), words.back()};
  }
  if (words.size() > 1 && hex_colour(words.front())) {
    return {words.front(), std::string(trim(text.substr(text.find(words.front()) + 7)))};
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

}  // namespace

std::optional<std::array<uint8_t, 3>> hex_colour(std::string_view word) {
  if (word.size() != 7 || word[0] != '#') return {};
  uint32_t value = 0;
  for (const char c : word.substr(1)) {
    const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!letter && (c < '0' || c > '9')) return {};
    value = value << 4 | static_cast<uint32_t>(letter ? (c | 0x20) - 'a' + 10 : c - '0');
  }
  return std::array{static_cast<uint8_t>(value >> 16), static_cast<uint8_t>(value >> 8),
                    static_cast<uint8_t>(value)};
}

ColouredLine parse_coloured_line(std::string_view text) {
  ColouredLine line{.text = std::string(text), .name = {}, .before = {}, .after = {}, .hex = {}};
  for (const std::string& field : fields_of(text)) {
    if (const auto numbers = numbers_in(field)) {
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

}  // namespace tagclip
