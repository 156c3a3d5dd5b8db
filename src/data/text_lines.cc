#include "data/text_lines.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <unordered_map>

#include "base/error.h"
#include "text/utf8.h"

namespace tagclip {
namespace {

constexpr uintmax_t kMaxBytes = uintmax_t{256} << 20;
constexpr size_t kMaxEntry = 1000;  // bytes

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\v\f";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string read_text(const std::filesystem::path& path) {
  std::error_code error;
  const uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) throw bad_input(fmt::format("cannot read {}: {}", path.string(), error.message()));
  if (bytes > kMaxBytes) {
    throw bad_input(
        fmt::format("{} has {} bytes; a list has at most {}", path.string(), bytes, kMaxBytes));
  }
  std::string text(bytes, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(text.data(), static_cast<std::streamsize>(bytes))) {
    throw bad_input(fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  }
  return text;
}

}  // namespace

std::vector<std::string> split_lines(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(trim(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::vector<std::string> read_list(const std::filesystem::path& path) {
  std::vector<std::string> lines = split_lines(read_text(path));
  if (lines.empty()) throw bad_input(fmt::format("{} is empty", path.string()));
  std::unordered_map<std::string_view, size_t> first_line;
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto complain = [&](const std::string& what) {
      throw bad_input(fmt::format("{}: line {} {}", path.string(), i + 1, what));
    };
    if (lines[i].empty()) complain("is empty");
    if (lines[i].size() > kMaxEntry) complain(fmt::format("is longer than {} bytes", kMaxEntry));
    if (find_invalid_utf8(lines[i])) complain("is not UTF-8");
    const auto [entry, is_new] = first_line.emplace(lines[i], i + 1);
    if (!is_new) complain(fmt::format("repeats \"{}\" of line {}", lines[i], entry->second));
  }
  return lines;
}

}  // namespace tagclip
