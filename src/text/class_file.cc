#include "text/class_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>

#include "base/bounded_json.h"
#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "text/list_file.h"
#include "text/simple_yaml.h"
#include "text/unicode.h"

namespace tagclip {
namespace {

using nlohmann::json;

constexpr size_t kMaxWordBytes = 1000;
constexpr uint64_t kMaxFileBytes = uint64_t{64} << 20;
constexpr const char* kStructures =
    "write one class on a line, or as in [\"sky\", \"sea\"], {\"0\": \"sky\"}, or names: in YAML";

// --- Separators and quotes ---

constexpr std::array<std::string_view, 3> kCommas = {",", "\uFF0C", "\u3001"};
constexpr std::array<std::string_view, 2> kSemicolons = {";", "\uFF1B"};
constexpr std::array<std::string_view, 2> kBars = {"|", "\uFF5C"};
constexpr std::array<std::string_view, 1> kTabs = {"\t"};
constexpr std::array<std::string_view, 7> kInLines = {",",      "\uFF0C", "\u3001", ";",
                                                      "\uFF1B", "|",      "\uFF5C"};
using Separators = std::span<const std::string_view>;

size_t separator_at(std::string_view text, size_t at, Separators separators) {
  // CLIP's <|endoftext|> is one word.
  const bool in_token =
      text[at] == '|' && ((at > 0 && text[at - 1] == '<') || text.substr(at).starts_with("|>"));
  if (in_token) return 0;
  for (const std::string_view separator : separators) {
    if (text.substr(at).starts_with(separator)) return separator.size();
  }
  return 0;
}

struct Cell {
  std::string text;
  bool quoted = false;
};

struct Quotes {
  std::string_view open, close;
};
constexpr Quotes kQuotes[] = {{"\"", "\""}, {"'", "'"}, {"\u201C", "\u201D"}};

size_t skip_space(std::string_view text, size_t at) {
  while (at < text.size()) {
    size_t next = at;
    const char32_t c = next_code_point(text, next);
    if (c == '\t' || !is_white_space(c)) break;
    at = next;
  }
  return at;
}

// A quoted cell that begins at `at`, which moves to the separator behind it; nothing where the text
// there is not wholly in quotes, such as 'tis. A doubled quote stands for one.
std::optional<Cell> quoted_cell(std::string_view text, size_t& at, Separators separators,
                                const std::string& where) {
  for (const auto& [open, close] : kQuotes) {
    if (!text.substr(at).starts_with(open)) continue;
    Cell cell{.quoted = true};
    for (size_t i = at + open.size(); i < text.size();) {
      if (!text.substr(i).starts_with(close)) {
        cell.text.push_back(text[i++]);
        continue;
      }
      i += close.size();
      if (open == close && text.substr(i).starts_with(close)) {
        cell.text.append(close);
        i += close.size();
        continue;
      }
      const size_t behind = skip_space(text, i);
      if (behind < text.size() && separator_at(text, behind, separators) == 0) return {};
      at = behind;
      return cell;
    }
    if (open == "\"") {
      throw bad_input(fmt::format("{}: a quote is opened and not closed", where),
                      "close it behind the word, as in \"building, edifice\"");
    }
  }
  return {};
}

std::vector<Cell> split_cells(std::string_view text, Separators separators,
                              const std::string& where) {
  std::vector<Cell> cells;
  for (size_t at = 0;;) {
    at = skip_space(text, at);
    if (auto quoted = quoted_cell(text, at, separators, where)) {
      cells.push_back(std::move(*quoted));
    } else {
      size_t end = at;
      while (end < text.size() && separator_at(text, end, separators) == 0) ++end;
      cells.push_back({std::string(text.substr(at, end - at))});
      at = end;
    }
    if (at >= text.size()) return cells;
    at += separator_at(text, at, separators);
  }
}

// --- Lists of lines ---

struct Row {
  std::string where;
  std::string text;
  int line = 0;
};

std::vector<std::string> words_of(std::string_view text, const std::string& where) {
  std::vector<std::string> words;
  for (const Cell& cell : split_cells(text, kInLines, where)) {
    words.push_back(checked_word(cell.text, where));
  }
  return words;
}

std::vector<std::string> words_of(const Cell& cell, const std::string& where) {
  if (cell.quoted) return {checked_word(cell.text, where)};
  return words_of(cell.text, where);
}

using Ids = std::vector<int64_t>;

bool increasing(const Ids& ids) {
  return std::ranges::adjacent_find(ids, std::greater_equal<>()) == ids.end();
}

// The numbers that all rows begin with, before `mark`, and the rows without them; nothing where one
// does not, or where they are no numbering.
std::optional<Ids> take_numbers(std::vector<Row>& rows, std::string_view mark) {
  Ids ids;
  std::vector<std::string> rest;
  for (const Row& row : rows) {
    const size_t digits = std::min(row.text.find_first_not_of("0123456789"), row.text.size());
    const auto id = parse_number<int64_t>(std::string_view(row.text).substr(0, digits));
    const size_t at = mark == " " ? digits : skip_space(row.text, digits);
    if (!id || !std::string_view(row.text).substr(at).starts_with(mark)) return {};
    rest.emplace_back(trim(std::string_view(row.text).substr(at + mark.size())));
    if (rest.back().empty()) return {};
    ids.push_back(*id);
  }
  if (!increasing(ids) || ids.front() > 1) return {};
  if (mark == " " && (ids.size() < 2 || ids.back() - ids.front() != std::ssize(ids) - 1)) return {};
  for (size_t i = 0; i < rows.size(); ++i) rows[i].text = std::move(rest[i]);
  return ids;
}

std::optional<Ids> take_numbers(std::vector<Row>& rows) {
  for (const std::string_view mark : {":", ")", ". ", " "}) {
    if (auto ids = take_numbers(rows, mark)) return ids;
  }
  return {};
}

bool is_number(const Cell& cell) {
  return !cell.quoted && parse_number<double>(trim(cell.text)).has_value();
}

using Table = std::vector<std::vector<Cell>>;

// Which columns of a table count.
struct Columns {
  size_t name = 0;
  std::optional<size_t> id;
  bool header = false;
};

std::optional<size_t> find_column(const std::vector<Cell>& header,
                                  std::initializer_list<std::string_view> titles) {
  for (size_t i = 0; i < header.size(); ++i) {
    if (!is_utf8(header[i].text)) continue;
    const std::string title = lower_case(trim(header[i].text));
    if (std::ranges::count(titles, title) > 0) return i;
  }
  return {};
}

std::optional<Columns> columns_by_header(const Table& table, bool is_csv) {
  const auto name = find_column(table[0], {"name", "names", "class", "class_name", "classname",
                                           "class name", "label", "category", "title"});
  const auto id = find_column(table[0], {"id", "idx", "index", "class_id", "label_id", "value"});
  if (!name || !(is_csv || id) || table.size() < 2) return {};
  return Columns{*name, id, true};
}

// The one column that holds words where all others hold numbers: ids before it, colours behind it.
std::optional<Columns> columns_by_numbers(const Table& table) {
  std::optional<size_t> name;
  for (const auto& row : table) {
    if (row.size() < 2 || row.size() != table[0].size()) return {};
    for (size_t i = 0; i < row.size(); ++i) {
      if (is_number(row[i])) continue;
      if (name.value_or(i) != i) return {};
      name = i;
    }
  }
  if (!name || std::ranges::any_of(table, [&](const auto& row) { return is_number(row[*name]); })) {
    return {};
  }
  return Columns{*name, *name > 0 ? std::optional<size_t>(0) : std::nullopt, false};
}

std::vector<ListedClass> classes_of_columns(const Table& table, const Columns& columns,
                                            const std::vector<Row>& rows) {
  std::vector<ListedClass> classes;
  for (size_t i = columns.header ? 1 : 0; i < table.size(); ++i) {
    const std::string& where = rows[i].where;
    if (columns.name >= table[i].size()) {
      throw bad_input(fmt::format("{}: column {}, the names, is missing", where, columns.name + 1));
    }
    ListedClass& added = classes.emplace_back(
        ListedClass{words_of(table[i][columns.name], where), where, {}, rows[i].line});
    if (columns.id && *columns.id < table[i].size()) {
      added.id = parse_number<int64_t>(trim(table[i][*columns.id].text));
    }
  }
  return classes;
}

// Returns true if all rows are like "0, building, edifice": a number, then words.
bool begin_with_ids(const Table& table) {
  Ids ids;
  for (const auto& row : table) {
    const auto id = row.size() > 1 ? parse_number<int64_t>(trim(row[0].text)) : std::nullopt;
    if (!id || std::any_of(row.begin() + 1, row.end(), is_number)) return false;
    ids.push_back(*id);
  }
  return increasing(ids) && ids.front() <= 1;
}

std::vector<ListedClass> classes_of_rows(std::vector<Row> rows, bool is_csv) {
  std::vector<ListedClass> classes;
  if (rows.empty()) return classes;
  if (const auto ids = take_numbers(rows)) {
    for (size_t i = 0; i < rows.size(); ++i) {
      classes.push_back(
          {words_of(rows[i].text, rows[i].where), rows[i].where, (*ids)[i], rows[i].line});
    }
    return classes;
  }
  const auto has_tab = [](const Row& row) { return row.text.find('\t') != row.text.npos; };
  const bool tabs = std::ranges::all_of(rows, has_tab);
  Table table;
  for (const Row& row : rows) {
    table.push_back(
        split_cells(row.text, tabs ? Separators(kTabs) : Separators(kInLines), row.where));
  }
  auto columns = columns_by_header(table, is_csv);
  if (!columns) columns = columns_by_numbers(table);
  if (columns) return classes_of_columns(table, *columns, rows);
  const bool ids = begin_with_ids(table);
  for (size_t i = 0; i < table.size(); ++i) {
    ListedClass& added = classes.emplace_back(ListedClass{{}, rows[i].where, {}, rows[i].line});
    if (ids) added.id = parse_number<int64_t>(trim(table[i][0].text));
    for (size_t c = ids ? 1 : 0; c < table[i].size(); ++c) {
      for (std::string& word : words_of(table[i][c], rows[i].where)) {
        added.words.push_back(std::move(word));
      }
    }
  }
  return classes;
}

std::vector<ListedClass> classes_of_lines(std::string_view text, const std::string& source,
                                          bool is_csv) {
  std::vector<Row> rows;
  int number = 0;
  for (const std::string_view line : split_lines(text)) {
    std::string where = fmt::format("{}, line {}", source, ++number);
    if (line.empty() || line.front() == '#') continue;
    rows.push_back({std::move(where), std::string(line), number});
  }
  return classes_of_rows(std::move(rows), is_csv);
}

// --- JSON and YAML ---

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
                    kStructures);
  }
  std::vector<std::string> words;
  for (const json& word : value) {
    if (!word.is_string()) {
      throw bad_input(fmt::format("{}: expected words, found {}", where, word.type_name()),
                      kStructures);
    }
    words.push_back(checked_word(word.get<std::string>(), where));
  }
  // ImageNet's index has the number of the synset before the name: n01440764.
  const std::string& first = words.front();
  if (words.size() > 1 && first.size() == 9 && first[0] == 'n' &&
      first.find_first_not_of("0123456789", 1) == first.npos) {
    words.erase(words.begin());
  }
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
      throw bad_input(fmt::format("{}: expected numbers and names of classes", where), kStructures);
    }
  }
  return classes;
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
    throw bad_input(fmt::format("{}: holds no list of classes", source), kStructures);
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

bool begins_as_json(std::string_view text) {
  const std::string_view start = trim(text.substr(0, 100));
  return start.starts_with('[') || (start.starts_with('{') && !start.starts_with("{}"));
}

// JSON, or what Python prints, whose quotes are single ones.
std::optional<json> parse_brackets(std::string_view text, const std::string& source) {
  constexpr size_t kMost = size_t{4} << 20;  // bytes; as parse_bounded_json
  if (text.size() > kMost) {
    throw bad_input(fmt::format("{}: is JSON of more than 4 MiB", source),
                    "keep the classes alone: jq .categories annotations.json > classes.json");
  }
  if (auto value = parse_bounded_json(text)) return value;
  return begins_as_json(text) ? parse_simple_yaml(text) : std::nullopt;
}

// --- All of them ---

std::vector<ListedClass> in_order(std::vector<ListedClass> classes, const std::string& source) {
  if (classes.empty()) {
    throw bad_input(fmt::format("{}: no class in it", source), "give at least one word");
  }
  const auto has_id = [](const ListedClass& entry) { return entry.id.has_value(); };
  if (!std::ranges::all_of(classes, has_id)) return classes;
  std::ranges::stable_sort(classes, {}, [](const ListedClass& entry) { return *entry.id; });
  const auto twice =
      std::ranges::adjacent_find(classes, {}, [](const ListedClass& entry) { return *entry.id; });
  if (twice != classes.end()) {
    throw bad_input(fmt::format("{}: the number {} is that of {}, too", (twice + 1)->where,
                                *twice->id, in_quotes(twice->words.front())),
                    "give every class a number of its own");
  }
  return classes;
}

void check_not_utf16(std::string_view text, const std::string& source) {
  const bool marked = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
  const bool bare = text.size() > 3 && text.size() % 2 == 0 &&
                    ((text[0] == '\0' && text[2] == '\0') || (text[1] == '\0' && text[3] == '\0'));
  if (!marked && !bare) return;
  throw bad_input(fmt::format("{}: is UTF-16 text", source),
                  "save it as UTF-8, or: iconv -f UTF-16 -t UTF-8 in.txt > out.txt");
}

}  // namespace

std::string checked_word(std::string_view text, const std::string& where) {
  std::string word = checked_trim(text, where);
  if (word.empty()) {
    throw bad_input(fmt::format("{}: empty word", where), "remove the superfluous comma");
  }
  if (word.size() > kMaxWordBytes) {
    throw bad_input(
        fmt::format("{}: a word of {} bytes, allowed are {}", where, word.size(), kMaxWordBytes),
        "separate the classes by commas, or put one on a line of a file");
  }
  return word;
}

std::vector<ListedClass> read_class_file(const std::filesystem::path& path) {
  const std::string source = path == "/dev/stdin" ? "standard input" : path.string();
  const std::string text = read_text(path, kMaxFileBytes);
  check_not_utf16(text, source);
  const std::string ending = path.extension().string();
  if (ending == ".yaml" || ending == ".yml") {
    const auto value = parse_simple_yaml(text);
    if (!value) throw bad_input(source + ": this YAML is not understood", kStructures);
    return in_order(classes_of_json(*value, source), source);
  }
  if (ending == ".json" || begins_as_json(text)) {
    const auto value = parse_brackets(text, source);
    if (value) return in_order(classes_of_json(*value, source), source);
    if (ending == ".json") throw bad_input(source + ": is no JSON", kStructures);
  }
  return in_order(classes_of_lines(text, source, ending == ".csv" || ending == ".tsv"), source);
}

std::vector<ListedClass> parse_class_list(std::string_view text, const std::string& source) {
  if (begins_as_json(text)) {
    if (const auto value = parse_brackets(text, source)) {
      return in_order(classes_of_json(*value, source), source);
    }
  }
  if (trim(text).find('\n') != text.npos) {
    return in_order(classes_of_lines(text, source, /*is_csv=*/false), source);
  }
  if (skip_space(trim(text), 0) == trim(text).size()) return in_order({}, source);
  std::vector<std::vector<Cell>> splits;
  for (const Separators separators :
       {Separators(kCommas), Separators(kSemicolons), Separators(kBars)}) {
    auto cells = split_cells(text, separators, source);
    if (cells.size() > 1) splits.push_back(std::move(cells));
  }
  if (splits.size() > 1) {
    throw bad_input(fmt::format("{}: holds several kinds of separators", source),
                    "separate the classes by commas alone; synonyms of a class go into a file, a "
                    "class on a line");
  }
  if (splits.empty()) splits.push_back(split_cells(text, kCommas, source));
  std::vector<Row> rows;
  std::vector<ListedClass> classes;
  for (const Cell& cell : splits.front()) {
    const std::string where = fmt::format("{}, entry {}", source, rows.size() + 1);
    rows.push_back({where, checked_word(cell.text, where)});
  }
  const bool quoted = std::ranges::any_of(splits.front(), [](const Cell& c) { return c.quoted; });
  const auto ids = quoted ? std::nullopt : take_numbers(rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    classes.push_back({{rows[i].text}, rows[i].where, {}});
    if (ids) classes.back().id = (*ids)[i];
  }
  return in_order(std::move(classes), source);
}

std::vector<std::string> listed_words(std::string_view text, const std::string& where) {
  return words_of(text, where);
}

std::string quoted_word(const std::string& word) {
  bool plain = word.front() != '#' && word.front() != '[' && word.front() != '{' &&
               std::string_view("0123456789").find(word.front()) == std::string_view::npos;
  for (size_t at = 0; at < word.size(); ++at) plain = plain && !separator_at(word, at, kInLines);
  for (const Quotes& quotes : kQuotes) plain = plain && !word.starts_with(quotes.open);
  if (plain) return word;
  std::string quoted = "\"";
  for (const char c : word) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

}  // namespace tagclip
