#include "text/list_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace tagclip {
namespace {

constexpr size_t kMaxFileBytes = size_t{64} << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw bad_input(fmt::format("{} cannot be read: {}", path.string(), std::strerror(errno)));
  }
  std::string bytes;
  char chunk[1 << 16];
  while (file.read(chunk, sizeof chunk) || file.gcount() > 0) {
    bytes.append(chunk, static_cast<size_t>(file.gcount()));
    if (bytes.size() > kMaxFileBytes) {
      throw bad_input(fmt::format("{} is larger than 64 MiB", path.string()),
                      "give a text file with one entry a line");
    }
  }
  return bytes;
}

}  // namespace

std::vector<ListLine> read_list_file(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  std::string_view rest = bytes;
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());

  std::vector<ListLine> lines;
  for (int number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    std::string where = fmt::format("{}, line {}", path.string(), number);
    std::string text = checked_trim(line, where);
    if (!text.empty() && text.front() != '#') lines.push_back({std::move(where), std::move(text)});
  }
  return lines;
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
