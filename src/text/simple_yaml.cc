#include "text/simple_yaml.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"

namespace tagclip {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 32;
struct NotSimple : std::exception {};  // ends the parse

struct Line {
  size_t indent;
  std::string text;  // without indentation, comment and white space at its end
};

// Where a quoted scalar that begins at `at` ends: behind its closing quote.
size_t end_of_quoted(std::string_view text, size_t at) {
  const char quote = text[at];
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 == text.size() || text[i + 1] != '\'') return i + 1;
      ++i;  // '' stands for '
    }
  }
  throw NotSimple();
}

// Whether a scalar may begin at `at`, so that a quote there opens one.
bool begins_scalar(std::string_view text, size_t at) {
  const size_t before = text.find_last_not_of(" \t", at == 0 ? text.npos : at - 1);
  return at == 0 || before == text.npos ||
         std::string_view("[{,:-").find(text[before]) != text.npos;
}

std::string_view without_comment(std::string_view line) {
  for (size_t i = 0; i < line.size(); ++i) {
    if ((line[i] == '"' || line[i] == '\'') && begins_scalar(line, i)) {
      i = end_of_quoted(line, i) - 1;
    } else if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) {
      return line.substr(0, i);
    }
  }
  return line;
}

// Brackets that a line opens, less those that it closes.
int open_brackets(std::string_view text) {
  int open = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] == '"' || text[i] == '\'') && begins_scalar(text, i)) {
      i = end_of_quoted(text, i) - 1;
    } else if (text[i] == '[' || text[i] == '{') {
      ++open;
    } else if (text[i] == ']' || text[i] == '}') {
      --open;
    }
  }
  return open;
}

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  int open = 0;  // brackets
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view raw = text.substr(begin, end - begin);
    begin = end + 1;
    const size_t indent = std::min(raw.find_first_not_of(' '), raw.size());
    if (indent < raw.size() && raw[indent] == '\t') throw NotSimple();
    const std::string_view content = trim(without_comment(raw.substr(indent)));
    if (content.empty() || (lines.empty() && content == "---")) continue;
    if (open > 0) {
      lines.back().text.append(" ").append(content);
    } else {
      lines.push_back({indent, std::string(content)});
    }
    open = std::max(0, open + open_brackets(content));
  }
  return lines;
}

std::string unquoted(std::string_view scalar) {
  if (scalar[0] == '"') {
    const json text = json::parse(scalar, nullptr, /*allow_exceptions=*/false);
    if (!text.is_string()) throw NotSimple();
    return text.get<std::string>();
  }
  std::string text;
  for (size_t i = 1; i + 1 < scalar.size(); ++i) {
    text.push_back(scalar[i]);
    if (scalar[i] == '\'') ++i;
  }
  return text;
}

// What stands in brackets, or a scalar.
class Flow {
 public:
  explicit Flow(std::string_view text) : text_(text) {}

  json parse() {
    json value = parse_value(0);
    skip_space();
    if (at_ != text_.size()) throw NotSimple();
    return value;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  json parse_value(int depth) {
    if (depth > kMaxDepth) throw NotSimple();
    if (take('[')) return parse_list(depth);
    if (take('{')) return parse_map(depth);
    return parse_scalar(depth == 0 ? "" : ",]}");
  }

  json parse_list(int depth) {
    json list = json::array();
    while (!take(']')) {
      list.push_back(parse_value(depth + 1));
      if (take(',')) continue;
      if (!take(']')) throw NotSimple();
      break;
    }
    return list;
  }

  json parse_map(int depth) {
    json map = json::object();
    while (!take('}')) {
      const std::string key = parse_scalar(":,}");
      if (!take(':') || map.contains(key)) throw NotSimple();
      map[key] = parse_value(depth + 1);
      if (take(',')) continue;
      if (!take('}')) throw NotSimple();
      break;
    }
    return map;
  }

  std::string parse_scalar(std::string_view ends) {
    skip_space();
    if (at_ == text_.size()) throw NotSimple();
    if (text_[at_] == '"' || text_[at_] == '\'') {
      const size_t begin = std::exchange(at_, end_of_quoted(text_, at_));
      return unquoted(text_.substr(begin, at_ - begin));
    }
    if (std::string_view("&*!|>%@`").find(text_[at_]) != std::string_view::npos) throw NotSimple();
    const size_t end = std::min(text_.find_first_of(ends, at_), text_.size());
    const std::string_view scalar = trim(text_.substr(at_, end - at_));
    if (scalar.empty()) throw NotSimple();
    at_ = end;
    return std::string(scalar);
  }

  std::string_view text_;
  size_t at_ = 0;
};

// A key and what follows it on its line: "names: [a]".
std::optional<std::pair<std::string, std::string>> key_of(std::string_view text) {
  size_t end = 0;
  if (text[0] == '"' || text[0] == '\'') {
    end = end_of_quoted(text, 0);
    if (end == text.size() || text[end] != ':') return {};
  } else {
    end = text.find(": ");
    if (end == text.npos && text.ends_with(':')) end = text.size() - 1;
    if (end == text.npos || text[0] == '[' || text[0] == '{') return {};
  }
  const std::string_view key = text.substr(0, end);
  return {{key[0] == '"' || key[0] == '\'' ? unquoted(key) : std::string(key),
           std::string(trim(text.substr(end + 1)))}};
}

bool is_item(const Line& line) { return line.text == "-" || line.text.starts_with("- "); }

class Blocks {
 public:
  explicit Blocks(std::vector<Line> lines) : lines_(std::move(lines)) {}

  json parse() {
    if (lines_.empty()) throw NotSimple();
    json value = parse_block(lines_[0].indent, 0);
    if (at_ != lines_.size()) throw NotSimple();
    return value;
  }

 private:
  bool at_indent(size_t indent) const {
    return at_ < lines_.size() && lines_[at_].indent == indent;
  }

  json parse_block(size_t indent, int depth) {
    if (depth > kMaxDepth) throw NotSimple();
    if (is_item(lines_[at_])) return parse_items(indent, depth);
    if (!key_of(lines_[at_].text)) return Flow(lines_[at_++].text).parse();
    json map = json::object();
    while (at_indent(indent) && !is_item(lines_[at_])) {
      const auto entry = key_of(lines_[at_].text);
      if (!entry || map.contains(entry->first)) throw NotSimple();
      ++at_;
      map[entry->first] =
          entry->second.empty() ? parse_below(indent, depth) : Flow(entry->second).parse();
    }
    return map;
  }

  json parse_items(size_t indent, int depth) {
    json list = json::array();
    while (at_indent(indent) && is_item(lines_[at_])) {
      Line& line = lines_[at_];
      const size_t content = line.text.find_first_not_of(' ', 1);
      if (content == line.text.npos) throw NotSimple();
      line.text.erase(0, content);
      line.indent += content;
      list.push_back(parse_block(line.indent, depth + 1));
    }
    return list;
  }

  // The value of a key that ends its line. The items of a list may stand below the key itself.
  json parse_below(size_t indent, int depth) {
    if (at_ == lines_.size()) return nullptr;
    if (lines_[at_].indent > indent) return parse_block(lines_[at_].indent, depth + 1);
    if (at_indent(indent) && is_item(lines_[at_])) return parse_items(indent, depth + 1);
    return nullptr;
  }

  std::vector<Line> lines_;
  size_t at_ = 0;
};

}  // namespace

std::optional<json> parse_simple_yaml(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  constexpr size_t kMost = size_t{4} << 20;  // bytes
  if (text.size() > kMost) return std::nullopt;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  try {
    return Blocks(lines_of(text)).parse();
  } catch (const NotSimple&) {
    return std::nullopt;
  }
}

}  // namespace tagclip
