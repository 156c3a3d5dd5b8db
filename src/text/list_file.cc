#include "text/list_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <unordered_map>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "text/unicode.h"

namespace tagclip {
namespace {

// Characters without width that come along when text is copied or files are joined: zero-width
// spaces and joiners, marks of direction and of byte order.
bool is_invisible(char32_t c) { return (c >= 0x200B && c <= 0x200F) || c == 0x2060 || c == 0xFEFF; }

constexpr uint64_t kMiB = uint64_t{1} << 20;

// Returns the texts, trimmed and checked, each with its number.
std::vector<ListLine> numbered(const std::vector<std::string_view>& texts,
                               const std::filesystem::path& path) {
  std::vector<ListLine> lines;
  for (const std::string_view text : texts) {
    std::string where = fmt::format("{}, line {}", path.string(), lines.size() + 1);
    std::string trimmed = checked_trim(text, where);
    lines.push_back({std::move(where), std::move(trimmed)});
  }
  return lines;
}

}  // namespace

std::vector<ListLine> read_list_file(const std::filesystem::path& path) {
  const std::string text = read_text(path, 64 * kMiB);
  refuse_wide_encoding(text, path.string());
  std::vector<ListLine> lines = numbered(split_lines(text), path);
  std::erase_if(lines, [](const ListLine& l) { return l.text.empty() || l.text.front() == '#'; });
  return lines;
}

SplitNames split_names(std::string_view text, const std::string& source) {
  refuse_wide_encoding(text, source);
  text = without_byte_order_mark(text);
  SplitNames list{.names = {}, .nul_separated = text.find('\0') != text.npos};
  const char separator = list.nul_separated ? '\0' : '\n';
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    std::string_view name = text.substr(0, end);
    if (!list.nul_separated && name.ends_with('\r')) name.remove_suffix(1);
    list.names.push_back(name);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!list.names.empty() && trim(list.names.back()).empty()) list.names.pop_back();
  return list;
}

std::vector<std::string> read_names(const std::filesystem::path& path) {
  constexpr size_t kMaxName = 1000;  // bytes
  std::vector<std::string> names;
  std::unordered_map<std::string, size_t> line_of;
  const std::string text = read_text(path, 256 * kMiB);
  for (auto& [where, name] : numbered(split_names(text, path.string()).names, path)) {
    if (name.empty()) throw bad_input(where + ": is empty");
    if (name.size() > kMaxName) {
      throw bad_input(fmt::format("{}: is longer than {} bytes", where, kMaxName));
    }
    const auto [first, is_new] = line_of.emplace(name, names.size() + 1);
    if (!is_new) {
      throw bad_input(
          fmt::format("{}: repeats {} of line {}", where, in_quotes(name), first->second));
    }
    names.push_back(std::move(name));
  }
  if (names.empty()) throw bad_input(path.string() + " is empty");
  return names;
}

bool names_file(const std::string& text) {
  const PathStatus status = path_status(text);
  // Words can be longer than the name of a file.
  const bool may_be_words = status.error == ENAMETOOLONG && !text.ends_with(".txt");
  if (status.error != 0 && !may_be_words && looks_like_path(text)) {
    throw cannot_read(text, status.error);
  }
  return status.kind == PathKind::kFile || status.kind == PathKind::kOther;
}

bool looks_like_path(std::string_view text) {
  return text.ends_with(".txt") || (text.find('/') != text.npos && text.find(',') == text.npos);
}

std::string checked_trim(std::string_view text, const std::string& where) {
  if (const auto offset = find_invalid_utf8(text)) {
    throw bad_input(fmt::format("{}: byte {} (0x{:02x}) is not valid UTF-8", where, *offset,
                                static_cast<uint8_t>(text[*offset])),
                    "save the text as UTF-8");
  }
  size_t begin = text.size(), end = 0;
  for (size_t position = 0; position < text.size();) {
    const size_t start = position;
    const char32_t c = next_code_point(text, position);
    if (is_white_space(c) || is_invisible(c)) continue;
    begin = std::min(begin, start);
    end = position;
  }
  if (end == 0) return {};
  const std::string_view trimmed = text.substr(begin, end - begin);
  for (size_t position = 0; position < trimmed.size();) {
    const char32_t c = next_code_point(trimmed, position);
    if (is_control(c)) {
      throw bad_input(
          fmt::format("{}: holds the control character U+{:04X}", where, static_cast<uint32_t>(c)),
          "remove it");
    }
  }
  return std::string(trimmed);
}

}  // namespace tagclip
