#include "label_formats/source_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "data/split_files.h"
#include "io/file_signature.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostFiles = 2'000'000;

bool is_hidden(const std::string& name) { return name.starts_with('.') || name == "__MACOSX"; }

// True if a folder is a link to one that it lies in: following it would never end.
bool is_loop(const fs::path& folder, const FolderEntry& entry) {
  if (entry.kind) return false;
  const auto target = resolved_path(folder / entry.name), place = resolved_path(folder);
  return !target || !place || (*place / "").string().starts_with((*target / "").string());
}

// Adds all files below `folder`. What cannot be listed is an error: a set would lose photos
// silently.
void add_files_below(const fs::path& folder, const std::string& prefix,
                     std::vector<std::string>& files) {
  for (const FolderEntry& entry : list_folder(folder)) {
    if (is_hidden(entry.name)) continue;
    const fs::path path = folder / entry.name;
    const PathKind kind = entry.kind ? *entry.kind : path_status(path).kind;
    if (kind == PathKind::kFolder && !is_loop(folder, entry)) {
      add_files_below(path, prefix + entry.name + "/", files);
    } else if (kind == PathKind::kFile) {
      files.push_back(prefix + entry.name);
      if (files.size() > kMostFiles) {
        throw bad_input(fmt::format("{} holds more than {} files", folder.string(), kMostFiles));
      }
    }
  }
}

std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> files;
  add_files_below(folder, "", files);
  std::ranges::sort(files);
  return files;
}

bool is_archive(std::string_view file) {
  constexpr std::string_view kEndings[] = {".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar"};
  return std::ranges::any_of(kEndings, [&](std::string_view e) { return file.ends_with(e); });
}

// How many folders two paths share at their ends, the file name not counted.
size_t common_tail(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  size_t count = 0;
  while (count + 1 < a.size() && count + 1 < b.size() &&
         a[a.size() - 2 - count] == b[b.size() - 2 - count]) {
    ++count;
  }
  return count;
}

}  // namespace

SourceFiles::SourceFiles(const fs::path& source, const ImageLimits& limits)
    : source_(source), folder_(source), limits_(limits) {
  if (is_archive(ascii_lower(source.string())) && is_file(source)) {
    throw bad_input(source.string() + " is an archive",
                    "unpack it, and give the folder: unzip " + source.string() + " -d export");
  }
  if (is_file(source)) {
    chosen_ = source.filename().string();
    folder_ = source.has_parent_path() ? source.parent_path() : fs::path(".");
  }
  files_ = files_below(folder_);
  for (size_t i = 0; i < files_.size(); ++i) {
    by_stem_.emplace(ascii_lower(without_ending(file_name(files_[i]))), i);
  }
}

std::vector<std::string> SourceFiles::with_ending(std::string_view ending) const {
  if (!chosen_.empty() && ascii_lower(chosen_).ends_with(ending)) return {chosen_};
  std::vector<std::string> found;
  for (const std::string& file : files_) {
    if (ascii_lower(file).ends_with(ending)) found.push_back(file);
  }
  return found;
}

std::vector<std::string> SourceFiles::called(std::string_view name) const {
  std::vector<std::string> found;
  for (const std::string& file : files_) {
    if (ascii_lower(file_name(file)) == name) found.push_back(file);
  }
  return found;
}

bool SourceFiles::holds(const std::string& file) const {
  return std::ranges::binary_search(files_, file);
}

bool SourceFiles::has_folder(std::string_view name) const {
  return std::ranges::any_of(files_, [&](const std::string& file) {
    auto parts = path_parts(folder_of(file));
    return std::ranges::find(parts, name) != parts.end();
  });
}

std::vector<std::string> SourceFiles::photos() const {
  std::vector<std::string> found;
  for (const std::string& file : files_) {
    if (has_photo_ending(file)) found.push_back(file);
  }
  return found;
}

fs::path SourceFiles::find_photo(const std::string& stated, const std::string& folder) const {
  std::string name = stated;
  std::ranges::replace(name, '\\', '/');  // of Windows
  if (name.empty() || name.find('\0') != name.npos) {
    throw bad_input("it does not say which photo it is about");
  }
  for (const fs::path& place : {folder_ / folder, folder_}) {
    if (is_file(place / name)) return (place / name).lexically_normal();
  }
  // A path of another machine means the only file of that name, of several the one in the same
  // folders.
  const std::vector<std::string> wanted = path_parts(name);
  std::vector<size_t> best;
  size_t tail = 0;
  const auto [begin, end] = by_stem_.equal_range(ascii_lower(without_ending(file_name(name))));
  for (auto candidate = begin; candidate != end; ++candidate) {
    const std::string& file = files_[candidate->second];
    if (!has_photo_ending(file)) continue;
    const size_t shared = common_tail(wanted, path_parts(file));
    if (shared > tail) best.clear();
    tail = std::max(tail, shared);
    if (shared == tail) best.push_back(candidate->second);
  }
  if (best.size() > 1) {
    const auto exact = [&](size_t i) { return file_name(files_[i]) == file_name(name); };
    if (std::ranges::count_if(best, exact) == 1) {
      best = {*std::ranges::find_if(best, exact)};
    }
  }
  if (best.empty()) throw bad_input("its photo " + in_quotes(stated) + " is not there");
  if (best.size() > 1) {
    throw bad_input(fmt::format("its photo {} could be {} or {}", in_quotes(stated),
                                files_[std::ranges::min(best)], files_[std::ranges::max(best)]));
  }
  return (folder_ / files_[best.front()]).lexically_normal();
}

std::string SourceFiles::name_of(const fs::path& file) const {
  const fs::path inside = file.lexically_normal().lexically_relative(folder_.lexically_normal());
  return without_ending(inside.empty() ? file.string() : inside.string());
}

std::string folder_of(const std::string& file) {
  const size_t slash = file.rfind('/');
  return slash == file.npos ? "" : file.substr(0, slash);
}

std::string file_name(const std::string& file) { return file.substr(file.rfind('/') + 1); }

std::string without_ending(const std::string& file) {
  const size_t dot = file.rfind('.'), slash = file.rfind('/');
  const bool has_ending = dot != file.npos && dot > (slash == file.npos ? 0 : slash + 1);
  return has_ending ? file.substr(0, dot) : file;
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::vector<std::string> path_parts(const std::string& file) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= file.size();) {
    const size_t end = std::min(file.find('/', begin), file.size());
    const std::string part = file.substr(begin, end - begin);
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (!part.empty() && part != "." && part != "..") {
      parts.push_back(part);
    }
    begin = end + 1;
  }
  return parts;
}

}  // namespace tagclip
