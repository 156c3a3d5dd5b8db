#include "infer/photo_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "base/files.h"
#include "base/text.h"
#include "image/jpeg.h"
#include "image/png.h"
#include "image/webp.h"
#include "infer/outputs.h"
#include "io/file_signature.h"
#include "text/list_file.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_photo(std::span<const std::byte> bytes) {
  return is_jpeg(bytes) || is_png(bytes) || is_webp(bytes);
}

// The digits at `at` without leading zeros; `at` moves behind them.
std::string_view number_at(std::string_view text, size_t& at) {
  while (at < text.size() && text[at] == '0') ++at;
  const size_t start = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return text.substr(start, at - start);
}

bool has_photo_ending(const std::string& name) {
  constexpr std::array<std::string_view, 4> kEndings = {".jpg", ".jpeg", ".png", ".webp"};
  std::string small = name;
  std::ranges::transform(small, small.begin(), lower);
  return std::ranges::any_of(kEndings, [&](std::string_view end) { return small.ends_with(end); });
}

void sort_naturally(std::vector<fs::path>& paths) {
  std::ranges::sort(paths, [](const fs::path& a, const fs::path& b) {
    return natural_less(a.string(), b.string());
  });
}

// A description of describe_file as a noun that can be counted: "a GIF image" is GIF image, "text"
// is text file.
std::string noun_of(std::string_view description) {
  for (const std::string_view article : {"a ", "an "}) {
    if (!description.starts_with(article)) continue;
    description.remove_prefix(article.size());
    const size_t end = std::min(description.find(" ("), description.find(" in place"));
    return std::string(description.substr(0, end));
  }
  return description.ends_with("text") ? std::string(description) + " file" : "unknown file";
}

// Counts what is left out of a folder.
class LeftOutCounts {
 public:
  void add_own(const std::string& noun) { ++files_[noun]; }
  void add_other(const std::string& noun) {
    ++files_[noun];
    others_ = true;
    constexpr std::array<std::string_view, 4> kPictures = {"image", "photo", "drawing", "document"};
    pictures_ = pictures_ || std::ranges::any_of(kPictures, [&](std::string_view kind) {
                  return noun.ends_with(kind);
                });
  }
  void add_folder() { ++folders_; }

  // Nothing where nothing was left out.
  std::string text() const {
    std::vector<std::string> kinds;
    int64_t files = 0;
    for (const auto& [noun, count] : files_) {
      kinds.push_back(counted(count, noun));
      files += count;
    }
    std::string text;
    if (files > 0) {
      text = fmt::format("left out {}: {}{}", counted(files, "file"), fmt::join(kinds, ", "),
                         others_ ? " (JPEG, PNG and WebP are read)" : "");
    }
    if (folders_ > 0) {
      text += fmt::format("{}{} in it {} not searched", text.empty() ? "" : "; ",
                          counted(folders_, "folder"), folders_ == 1 ? "is" : "are");
    }
    return text;
  }
  bool pictures() const { return pictures_; }

 private:
  std::map<std::string, int64_t> files_;
  int64_t folders_ = 0;
  bool others_ = false, pictures_ = false;
};

// The photos of one folder.
class FolderScan {
 public:
  explicit FolderScan(const fs::path& folder) : folder_(folder) {
    for (const FolderEntry& entry : list_folder(folder)) {
      if (!entry.name.starts_with('.')) look_at(entry);
    }
    sort_naturally(photos);
  }

  std::vector<fs::path> photos;
  LeftOutCounts left_out;

 private:
  void look_at(const FolderEntry& entry) {
    const fs::path path = folder_ / entry.name;
    // A file that cannot be looked at fails in its turn, which says why.
    const PathStatus status = entry.kind ? PathStatus{.kind = *entry.kind} : path_status(path);
    if (status.kind == PathKind::kFolder) return left_out.add_folder();
    if (status.kind == PathKind::kOther) return left_out.add_other("special file");
    if (is_unfinished(entry.name)) return left_out.add_own("unfinished tagclip file");
    if (is_own_result(entry.name)) return left_out.add_own("tagclip result");
    if (has_photo_ending(entry.name)) return photos.push_back(path);
    try {
      const auto bytes = read_prefix(path, kSignatureBytes);
      if (!is_photo(bytes)) return left_out.add_other(noun_of(describe_bytes(bytes)));
    } catch (const Error&) {
    }
    photos.push_back(path);
  }

  // The record of a photo's results is read once for all of them.
  bool is_own_result(const std::string& name) {
    const auto stem = stem_of_image(name);
    if (!stem) return false;
    const auto [known, is_new] = results_.try_emplace(*stem, false);
    if (is_new) known->second = is_result(folder_, *stem);
    return known->second;
  }

  const fs::path& folder_;
  std::map<std::string, bool> results_;  // stem → whether results of this program have it
};

bool is_pattern(const std::string& text) { return text.find_first_of("*?[") != text.npos; }

// The folders that the pattern at hand could not look into, which glob tells a function without
// context.
thread_local std::vector<UnusableEntry> closed_folders;

int note_closed_folder(const char* folder, int error) {
  if (error != ENOENT && error != ENOTDIR) {
    closed_folders.push_back({folder, cannot_read(folder, error)});
  }
  return 0;  // the others are looked into
}

// Folders that cannot be read become entries of `unusable`.
std::vector<fs::path> matches_of(const std::string& pattern, std::vector<UnusableEntry>& unusable) {
  glob_t found{};
  closed_folders.clear();
  const int result = glob(pattern.c_str(), 0, note_closed_folder, &found);
  const std::unique_ptr<glob_t, void (*)(glob_t*)> cleanup(&found, globfree);
  std::ranges::move(closed_folders, std::back_inserter(unusable));
  if (result != 0 && !closed_folders.empty()) return {};
  if (result != 0) {
    throw bad_input(pattern + ": there is no such file, and nothing matches it as a pattern",
                    "check the path");
  }
  std::vector<fs::path> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  sort_naturally(paths);
  return paths;
}

// Puts a list together, entry by entry.
class ListMaker {
 public:
  void add(const std::string& entry, bool may_be_pattern) {
    try {
      if (may_be_pattern && is_pattern(entry) && path_status(entry).kind == PathKind::kNothing) {
        for (const fs::path& match : matches_of(entry, list_.unusable)) add_path(match);
      } else {
        add_path(entry);
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
      list_.unusable.push_back({entry, error});
    }
  }

  PhotoList take() { return std::move(list_); }

 private:
  void add_path(const fs::path& path) {
    if (path_status(path).kind == PathKind::kFolder) return add_folder(path);
    if (known_.insert(absolute_path(path).string()).second) list_.photos.push_back(path);
  }

  void add_folder(const fs::path& folder) {
    const FolderScan scan(folder);
    const std::string left_out = scan.left_out.text();
    if (scan.photos.empty()) {
      throw bad_input(fmt::format("{}: no photo in this folder{}{}", folder.string(),
                                  left_out.empty() ? "" : "; ", left_out),
                      "expected are JPEG, PNG or WebP; folders are not searched below their first "
                      "level");
    }
    if (!left_out.empty()) {
      list_.left_out.push_back(
          {fmt::format("{}: {}", folder.string(), left_out), scan.left_out.pictures()});
    }
    for (const fs::path& photo : scan.photos) {
      if (known_.insert(absolute_path(photo).string()).second) list_.photos.push_back(photo);
    }
  }

  PhotoList list_;
  std::unordered_set<std::string> known_;
};

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

PhotoList list_photos(const std::vector<std::string>& inputs,
                      const std::function<std::string()>& read_list) {
  ListMaker maker;
  std::optional<std::string> text;  // of the list, which can be read once
  for (const std::string& input : inputs) {
    if (input != "-") {
      maker.add(input, true);
      continue;
    }
    if (!text) text = read_list();
    const SplitNames list = split_names(*text, "standard input");
    for (const std::string_view name : list.names) {
      if (!name.empty()) maker.add(std::string(name), !list.nul_separated);
    }
  }
  return maker.take();
}

}  // namespace tagclip
