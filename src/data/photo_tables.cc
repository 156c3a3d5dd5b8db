#include "data/photo_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "text/list_file.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLongestKey = 1000, kLongestCaption = 10000;  // bytes

// The parts of a text between the separators, without the empty ones.
std::vector<std::string_view> parts(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> result;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) result.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

// Reads a table whose values `read_value` makes of what stands behind the first tab; `where` the
// line stands begins its messages.
template <class Value, class Read>
PhotoTable<Value> read_table(const fs::path& path, const char* layout, const Read& read_value) {
  const std::string text = read_text(path);
  refuse_wide_encoding(text, path.string());
  PhotoTable<Value> table;
  std::unordered_map<std::string, size_t> line_of;
  size_t number = 0;
  for (const std::string_view line : split_lines(text)) {
    const std::string where = fmt::format("{}, line {}", path.string(), ++number);
    if (line.empty()) continue;
    const size_t tab = std::min(line.find('\t'), line.size());
    const std::string key = checked_trim(line.substr(0, tab), where);
    if (key.empty()) throw bad_input(where + ": the line has no key", layout);
    if (key.size() > kLongestKey) {
      throw bad_input(fmt::format("{}: the key {} has {} bytes, more than {}", where,
                                  in_quotes(key, 40), key.size(), kLongestKey),
                      layout);
    }
    if (tab == line.size()) {
      throw bad_input(fmt::format("{}: nothing stands behind {}", where, in_quotes(key)), layout);
    }
    const auto [known, is_new] = line_of.emplace(key, number);
    if (!is_new) {
      throw bad_input(
          fmt::format("{}: {} is on line {} already", where, in_quotes(key), known->second));
    }
    table.emplace(key, read_value(line.substr(tab + 1), where));
  }
  if (table.empty()) throw bad_input(path.string() + " holds no line", layout);
  return table;
}

std::vector<std::string> captions_of(std::string_view text, const std::string& where) {
  std::vector<std::string> captions;
  for (const std::string_view part : parts(text, "\t")) {
    if (part.size() > kLongestCaption) {
      throw bad_input(fmt::format("{}: a caption has {} bytes, more than {}", where, part.size(),
                                  kLongestCaption));
    }
    const std::string caption = checked_trim(part, where);
    if (!caption.empty()) captions.push_back(caption);
  }
  if (captions.empty()) throw bad_input(where + ": the photo has no caption");
  return captions;
}

// `pair` is NAME:PROBABILITY.
SoftName soft_name_of(std::string_view pair, size_t names, const std::string& where) {
  const size_t colon = pair.find(':');
  const auto name = parse_number<int64_t>(pair.substr(0, std::min(colon, pair.size())));
  const auto probability =
      colon == pair.npos ? std::nullopt : parse_number<double>(pair.substr(colon + 1));
  if (!name || !probability) {
    throw bad_input(fmt::format("{}: expected NAME:PROBABILITY, two numbers, found {}", where,
                                in_quotes(pair, 40)));
  }
  if (*name < 0 || *name >= static_cast<int64_t>(names)) {
    throw bad_input(fmt::format("{}: there is no name {}; the list has {}, counted from 0", where,
                                *name, names),
                    "the table must be of this list of names");
  }
  if (!(*probability > 0 && *probability <= 1)) {  // NaN is neither
    throw bad_input(fmt::format("{}: expected a probability above 0 and up to 1, found {}", where,
                                in_quotes(pair, 40)));
  }
  return {static_cast<int32_t>(*name), static_cast<float>(*probability)};
}

SoftNames soft_names_of(std::string_view text, size_t names, const std::string& where) {
  constexpr double kMostInAll = 1.01;
  SoftNames result;
  double sum = 0;
  for (const std::string_view pair : parts(text, "\t ")) {
    const SoftName found = soft_name_of(pair, names, where);
    if (std::ranges::count(result, found.name, &SoftName::name) > 0) {
      throw bad_input(fmt::format("{}: the name {} comes twice", where, found.name));
    }
    sum += found.probability;
    if (sum > kMostInAll) {
      throw bad_input(fmt::format("{}: the probabilities add up to more than 1", where));
    }
    result.push_back(found);
  }
  if (result.empty()) throw bad_input(where + ": the photo has no name");
  return result;
}

}  // namespace

PhotoTable<std::vector<std::string>> read_captions(const fs::path& path) {
  return read_table<std::vector<std::string>>(
      path, "a line is a photo's name, then its captions, with tabs between them", captions_of);
}

PhotoTable<SoftNames> read_soft_names(const fs::path& path, size_t names) {
  return read_table<SoftNames>(
      path, "a line is a photo's key, a tab, then NAME:PROBABILITY with spaces between them",
      [names](std::string_view text, const std::string& where) {
        return soft_names_of(text, names, where);
      });
}

}  // namespace tagclip
