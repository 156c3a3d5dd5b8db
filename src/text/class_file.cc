#include "text/class_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "text/class_json.h"
#include "text/coloured_line.h"
#include "text/list_file.h"
#include "text/simple_yaml.h"
#include "text/unicode.h"

namespace tagclip {
namespace {

constexpr size_t kMaxWordBytes = 1000;
constexpr uint64_t kMaxFileBytes = uint64_t{64} << 20;

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

// What is left of program text, or of a word in brackets that hold a comma, is no word.
void check_brackets(std::string_view word, const std::string& where) {
  for (const std::string_view pair : {"()", "[]", "{}"}) {
    if (std::ranges::count(word, pair[0]) == std::ranges::count(word, pair[1])) continue;
    throw bad_input(
        fmt::format("{}: {} has a bracket without its other half", where, in_quotes(word)),
        "write one class on a line; quotes keep a comma in a word");
  }
}

std::vector<std::string> words_of(std::string_view text, const std::string& where) {
  std::vector<std::string> words;
  for (const Cell& cell : split_cells(text, kInLines, where)) {
    if (!cell.quoted) check_brackets(cell.text, where);
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

constexpr std::string_view kFullWidthColon = "\uFF1A";

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
  const bool is_colon = mark == ":" || mark == kFullWidthColon;
  const bool is_numbering = increasing(ids) && ids.front() <= 1;
  if (!is_numbering && !(is_colon && ids.size() > 1)) return {};
  if (mark == " " && (ids.size() < 2 || ids.back() - ids.front() != std::ssize(ids) - 1)) return {};
  for (size_t i = 0; i < rows.size(); ++i) rows[i].text = std::move(rest[i]);
  return ids;
}

std::optional<Ids> take_numbers(std::vector<Row>& rows) {
  for (const std::string_view mark : {std::string_view(":"), kFullWidthColon, std::string_view(")"),
                                      std::string_view(". "), std::string_view(" ")}) {
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
  // "road: 128" is half of a name and its colour.
  const auto holds_number = [&](const auto& row) {
    const std::string_view text = row[*name].text;
    return is_number(row[*name]) ||
           parse_number<int64_t>(trim(text.substr(text.rfind(':') + 1))).has_value();
  };
  if (!name || std::ranges::any_of(table, holds_number)) return {};
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

// Rows without what all of them begin with: the dash of a list of points, or the number of a synset
// of ImageNet.
void take_marks(std::vector<Row>& rows) {
  const auto mark_of = [](std::string_view text) -> size_t {
    if (text.starts_with("- ") || text.starts_with("* ")) return 2;
    constexpr size_t kSynset = 9;  // n01440764
    const bool synset = text.size() > kSynset + 1 && is_synset(text.substr(0, kSynset)) &&
                        (text[kSynset] == ' ' || text[kSynset] == '\t');
    return synset ? kSynset + 1 : 0;
  };
  if (!std::ranges::all_of(rows, [&](const Row& row) { return mark_of(row.text) > 0; })) return;
  for (Row& row : rows) row.text = std::string(trim(row.text.substr(mark_of(row.text))));
}

// The classes of rows that give each of them a colour, as CVAT's labelmap.txt does.
std::optional<std::vector<ListedClass>> classes_with_colours(const std::vector<Row>& rows) {
  std::vector<ListedClass> classes;
  for (const Row& row : rows) {
    if (!is_utf8(row.text)) return {};
    const ColouredLine line = parse_coloured_line(row.text);
    if (line.name.empty() || !line.has_colour()) return {};
    ListedClass entry{{checked_word(line.name, row.where)}, row.where, {}, row.line};
    const bool has_id = line.before.size() == (line.after.size() < 3 && !line.hex ? 4 : 1);
    if (has_id) entry.id = line.before.front();
    classes.push_back(std::move(entry));
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
  take_marks(rows);
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
  if (auto coloured = classes_with_colours(rows)) return std::move(*coloured);
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

// Where a comment behind the words of a line begins: "sea  # the blue one".
size_t comment_in(std::string_view line) {
  const size_t quote = line.rfind('"');  // one in quotes is no comment
  for (const std::string_view mark : {" # ", "\t# "}) {
    const size_t at = line.find(mark, quote == line.npos ? 0 : quote);
    if (at != line.npos) return at;
  }
  return line.size();
}

// A table of one row lists classes, not the synonyms of one.
std::vector<Row> cells_as_rows(const Row& row) {
  std::vector<Row> rows;
  for (const Cell& cell : split_cells(row.text, kInLines, row.where)) {
    rows.push_back({row.where, cell.quoted ? quoted_word(cell.text) : cell.text, row.line});
  }
  return rows;
}

std::vector<ListedClass> classes_of_lines(std::string_view text, const std::string& source,
                                          bool is_csv) {
  std::vector<Row> rows;
  int number = 0;
  for (const std::string_view line : split_lines(text)) {
    std::string where = fmt::format("{}, line {}", source, ++number);
    const std::string_view words = trim(line.substr(0, comment_in(line)));
    if (words.empty() || (words.front() == '#' && !hex_colour(words.substr(0, 7)))) continue;
    rows.push_back({std::move(where), std::string(words), number});
  }
  if (is_csv && rows.size() == 1) rows = cells_as_rows(rows.front());
  return classes_of_rows(std::move(rows), is_csv);
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

// What word processors save is no list, and neither is an array of embeddings.
void check_plain(std::string_view text, const std::string& source) {
  if (text.find('\0') != text.npos && !is_utf8(text)) {
    throw bad_input(fmt::format("{}: is no text (it holds NUL bytes)", source),
                    "give words, or a text file with a class on a line; arrays of embeddings go to "
                    "the setting text_embeddings");
  }
  const std::string start = is_utf8(text) ? lower_case(trim(text.substr(0, 100))) : "";
  const bool is_rtf = start.starts_with("{\\rtf");
  if (!is_rtf && !start.starts_with("<!doctype") && !start.starts_with("<html")) return;
  throw bad_input(fmt::format("{}: is {}, expected plain text", source,
                              is_rtf ? "rich text (RTF)" : "an HTML page"),
                  "save it as plain text, a class on a line");
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
  std::string text = read_text(path, kMaxFileBytes);
  refuse_wide_encoding(text, source);
  check_plain(text, source);
  // Old Macs end lines with a carriage return alone.
  if (text.find('\n') == text.npos) std::ranges::replace(text, '\r', '\n');
  text = without_assignment(text);
  const std::string ending = path.extension().string();
  if (ending == ".yaml" || ending == ".yml") {
    const auto value = parse_simple_yaml(text);
    if (!value) throw bad_input(source + ": this YAML is not understood", kClassStructures);
    return in_order(classes_of_json(*value, source), source);
  }
  if (ending == ".json" || begins_as_json(text)) {
    const auto value = parse_brackets(text, source);
    if (value) return in_order(classes_of_json(*value, source), source);
    if (ending == ".json") throw bad_input(source + ": is no JSON", kClassStructures);
  }
  return in_order(classes_of_lines(text, source, ending == ".csv" || ending == ".tsv"), source);
}

std::vector<ListedClass> parse_class_list(std::string_view typed, const std::string& source) {
  const std::string unassigned = without_assignment(typed);
  const std::string_view text = unassigned;
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
    if (!cell.quoted) check_brackets(cell.text, where);
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
  // Brackets, colons and # mean something in lists, and so do some first characters.
  bool plain = word.find_first_of("#[]{}():") == word.npos && !is_synset(word.substr(0, 9)) &&
               std::string_view("0123456789-*").find(word.front()) == std::string_view::npos;
  for (size_t at = 0; at < word.size(); ++at) plain = plain && !separator_at(word, at, kInLines);
  for (const Quotes& quotes : kQuotes) plain = plain && !word.starts_with(quotes.open);
  if (plain) return word;
  std::string quoted = "\"";
  for (const char c : word) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

}  // namespace tagclip
