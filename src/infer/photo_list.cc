#include "infer/photo_list.h"

#include <glob.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <unordered_set>

#include "base/error.h"
#include "infer/outputs.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The digits at `at` without leading zeros; `at` moves behind them.
std::string_view number_at(std::string_view text, size_t& at) {
  while (at < text.size() && text[at] == '0') ++at;
  const size_t start = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return text.substr(start, at - start);
}

bool is_photo_name(const std::string& name) {
  constexpr std::array<std::string_view, 4> kEndings = {".jpg", ".jpeg", ".png", ".webp"};
  std::string small = name;
  std::ranges::transform(small, small.begin(), lower);
  return std::ranges::any_of(kEndings,
                             [&](std::string_view end) { return small.ends_with(end); }) &&
         !is_output_image(small);
}

void sort_naturally(std::vector<fs::path>& paths) {
  std::ranges::sort(paths, [](const fs::path& a, const fs::path& b) {
    return natural_less(a.string(), b.string());
  });
}

std::vector<fs::path> photos_in(const fs::path& folder) {
  std::vector<fs::path> photos;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    if (is_photo_name(entry->path().filename().string()) && !entry->is_directory()) {
      photos.push_back(entry->path());
    }
  }
  if (problem) throw bad_input(folder.string() + ": " + problem.message());
  if (photos.empty()) {
    throw bad_input(folder.string() + ": no .jpg, .jpeg, .png or .webp file in this folder",
                    "folders are not searched below their first level");
  }
  sort_naturally(photos);
  return photos;
}

std::vector<fs::path> matches_of(const std::string& pattern) {
  glob_t found{};
  const int result = glob(pattern.c_str(), 0, nullptr, &found);
  const std::unique_ptr<glob_t, void (*)(glob_t*)> cleanup(&found, globfree);
  if (result != 0) throw bad_input(pattern + ": nothing matches this pattern", "check the path");
  std::vector<fs::path> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  sort_naturally(paths);
  return paths;
}

bool is_pattern(const std::string& text) { return text.find_first_of("*?[") != text.npos; }

std::vector<fs::path> expand(const std::string& input) {
  std::error_code ignored;
  if (fs::is_directory(input, ignored)) return photos_in(input);
  if (is_pattern(input) && !fs::exists(input, ignored)) return matches_of(input);
  return {input};
}

std::vector<std::string> lines_of(std::istream& list) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(list, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

}  // namespace

bool natural_less(const std::string& a, const std::string& b) {
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const std::string_view left = number_at(a, i), right = number_at(b, j);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
    } else if (lower(a[i]) != lower(b[j])) {
      return lower(a[i]) < lower(b[j]);
    } else {
      ++i, ++j;
    }
  }
  const size_t left = a.size() - i, right = b.size() - j;
  return left != right ? left < right : a < b;
}

std::vector<fs::path> list_photos(const std::vector<std::string>& inputs, std::istream& list) {
  std::vector<fs::path> photos;
  std::unordered_set<std::string> known;
  const auto add = [&](const std::string& input) {
    for (const fs::path& path : expand(input)) {
      if (known.insert(fs::absolute(path).lexically_normal().string()).second)
        photos.push_back(path);
    }
  };
  for (const std::string& input : inputs) {
    if (input == "-") {
      for (const std::string& line : lines_of(list)) add(line);
    } else {
      add(input);
    }
  }
  if (photos.empty()) throw bad_input("the list of photos is empty", "name a photo or a folder");
  return photos;
}

}  // namespace tagclip
