#include "text/list_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "text/unicode.h"

namespace tagclip {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

// All lines, the empty ones too.
std::vector<ListLine> read_lines(const std::filesystem::path& path, uint64_t max_bytes) {
  const std::string text = read_text(path, max_bytes);
  std::vector<ListLine> lines;
  for (const std::string_view line : split_lines(text)) {
    std::string where = fmt::format("{}, line {}", path.string(), lines.size() + 1);
    std::string trimmed = checked_trim(line, where);
    lines.push_back({std::move(where), std::move(trimmed)});
  }
  return lines;
}

}  // namespace

std::vector<ListLine> read_list_file(const std::filesystem::path& path) {
  std::vector<ListLine> lines = read_lines(path, 64 * kMiB);
  std::erase_if(lines, [](const ListLine& l) { return l.text.empty() || l.text.front() == '#'; });
  return lines;
}

std::vector<std::string> read_names(const std::filesystem::path& path) {
  constexpr size_t kMaxName = 1000;  // bytes
  std::vector<std::string> names;
  std::unordered_map<std::string, size_t> line_of;
  for (auto& [where, name] : read_lines(path, 256 * kMiB)) {
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
  if (text.find('\0') != text.npos) return false;  // a path would end there
  std::error_code unreachable;
  const auto status = std::filesystem::status(text, unreachable);
  return std::filesystem::exists(status) && !std::filesystem::is_directory(status);
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
    if (is_white_space(next_code_point(text, position))) continue;
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
