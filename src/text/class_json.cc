#include "text/class_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/text.h"
#include "text/simple_yaml.h"

namespace tagclip {
namespace {

using nlohmann::json;

std::vector<std::string> words_of(const json& value, const std::string& where) {
  if (value.is_string()) return {checked_word(value.get<std::string>(), where)};
  if (value.is_object() && value.contains("name")) {
    std::vector<std::string> words = words_of(value.at("name"), where);
    const auto synonyms = value.find("synonyms");
    if (synonyms == value.end() || !synonyms->is_array()) return words;
    for (std::string& word : words_of(*synonyms, where)) {
      if (std::ranges::count(words, word) == 0) words.push_back(std::move(word));
    }
    return words;
  }
  if (!value.is_array() || value.empty()) {
    throw bad_input(fmt::format("{}: expected a name, found {}", where, value.type_name()),
                    kClassStructures);
  }
  std::vector<std::string> words;
  for (const json& word : value) {
    if (!word.is_string()) {
      throw bad_input(fmt::format("{}: expected words, found {}", where, word.type_name()),
                      kClassStructures);
    }
    words.push_back(checked_word(word.get<std::string>(), where));
  }
  // ImageNet's index has the number of the synset before the name.
  if (words.size() > 1 && is_synset(words.front())) words.erase(words.begin());
  return words;
}

std::optional<int64_t> id_of(const json& value) {
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_string()) return parse_number<int64_t>(value.get<std::string>());
  return {};
}

std::vector<ListedClass> classes_of_map(const json& map, const std::string& source) {
  const auto entries = map.items();
  const bool ids_first = std::all_of(entries.begin(), entries.end(), [](const auto& entry) {
    return parse_number<int64_t>(entry.key()).has_value();
  });
  const bool ids_last = std::all_of(entries.begin(), entries.end(), [](const auto& entry) {
    return id_of(entry.value()).has_value();
  });
  std::vector<ListedClass> classes;
  for (const auto& [key, value] : entries) {
    const std::string where = fmt::format("{}, {}", source, in_quotes(key));
    if (ids_first) {
      classes.push_back({words_of(value, where), where, parse_number<int64_t>(key)});
    } else if (ids_last) {
      classes.push_back({{checked_word(key, where)}, where, id_of(value)});
    } else {
      throw bad_input(fmt::format("{}: expected numbers and names of classes", where),
                      kClassStructures);
    }
  }
  return classes;
}

}  // namespace

bool is_synset(std::string_view word) {
  return word.size() == 9 && word[0] == 'n' && word.find_first_not_of("0123456789", 1) == word.npos;
}

std::vector<ListedClass> classes_of_json(const json& value, const std::string& source) {
  if (value.is_object()) {
    for (const char* key :
         {"names", "classes", "categories", "id2label", "label2id", "class_names", "labels"}) {
      const auto found = value.find(key);
      if (found != value.end() && found->is_structured()) return classes_of_json(*found, source);
    }
    return classes_of_map(value, source);
  }
  if (!value.is_array()) {
    throw bad_input(fmt::format("{}: holds no list of classes", source), kClassStructures);
  }
  std::vector<ListedClass> classes;
  for (const json& entry : value) {
    const std::string where = fmt::format("{}, class {}", source, classes.size() + 1);
    std::optional<int64_t> id;
    if (entry.is_object() && entry.contains("id")) id = id_of(entry.at("id"));
    classes.push_back({words_of(entry, where), where, id});
  }
  return classes;
}

std::string without_assignment(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r\n");
  std::string_view list = trim(text.substr(0, last == text.npos ? 0 : last + 1));
  if (const size_t sign = list.find('='); sign != list.npos) {
    const std::string_view name = trim(list.substr(0, sign));
    const bool is_name = !name.empty() && std::ranges::all_of(name, [](char c) {
      return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    });
    if (is_name) list = trim(list.substr(sign + 1));
  }
  const bool is_tuple = (list.starts_with("('") || list.starts_with("(\"")) && list.ends_with(')');
  const bool is_assigned = list.starts_with('[') && !trim(text).starts_with('[');
  if (!is_tuple && !is_assigned) return std::string(text);
  std::string brackets(list);
  if (is_tuple) brackets.front() = '[', brackets.back() = ']';
  std::ranges::replace(brackets, '\n', ' ');
  return brackets;
}

bool begins_as_json(std::string_view text) {
  const std::string_view start = trim(text.substr(0, 100));
  return start.starts_with('[') || (start.starts_with('{') && !start.starts_with("{}"));
}

std::optional<json> parse_brackets(std::string_view text, const std::string& source) {
  constexpr size_t kMost = size_t{4} << 20;  // bytes; as parse_bounded_json
  if (text.size() > kMost) {
    throw bad_input(fmt::format("{}: is JSON of more than 4 MiB", source),
                    "keep the classes alone: jq .categories annotations.json > classes.json");
  }
  if (auto value = parse_bounded_json(text)) return value;
  return begins_as_json(text) ? parse_simple_yaml(text) : std::nullopt;
}

}  // namespace tagclip
