#include "data/folder_dataset.h"

#include <dirent.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <unordered_map>

#include "base/error.h"
#include "base/text_distance.h"
#include "data/text_lines.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kClasses = "classes.txt";
constexpr std::string_view kUnseen = "unseen.txt";

// The names in a folder, without a look at the files. (std::filesystem takes each path apart, which
// for a large set costs more than the reading.)
std::vector<std::string> names_in(const fs::path& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
  if (directory == nullptr) {
    throw bad_input(fmt::format("cannot read {}: {}", folder.string(), std::strerror(errno)));
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory.get())) names.emplace_back(entry->d_name);
  return names;
}

// The splits a data set has, for a message.
std::string list_splits(const fs::path& folder) {
  std::vector<std::string> splits;
  for (const fs::path name : names_in(folder)) {
    const bool other = name == kClasses || name == kUnseen || name.extension() != ".txt";
    if (!other) splits.push_back(name.stem().string());
  }
  std::ranges::sort(splits);
  return splits.empty() ? "none" : fmt::format("{}", fmt::join(splits, ", "));
}

// Throws when something the folder must have is not there.
void check_layout(const fs::path& folder, const std::string& split) {
  std::error_code unreadable;  // counts as not there
  if (!fs::is_directory(folder, unreadable)) {
    throw bad_input(fmt::format("there is no data set folder {}", folder.string()));
  }
  std::vector<std::string_view> missing;
  if (!fs::is_directory(folder / "images", unreadable)) missing.push_back("images/");
  if (!fs::is_directory(folder / "labels", unreadable)) missing.push_back("labels/");
  if (!fs::is_regular_file(folder / kClasses, unreadable)) missing.push_back(kClasses);
  if (!missing.empty()) {
    throw bad_input(
        fmt::format("the data set {} lacks {}", folder.string(), fmt::join(missing, ", ")),
        "a data set has images/, labels/, classes.txt and a list of names for each split");
  }
  if (!fs::is_regular_file(folder / (split + ".txt"), unreadable)) {
    throw bad_input(fmt::format("the data set {} has no split \"{}\": there is no {}.txt",
                                folder.string(), split, split),
                    "splits here: " + list_splits(folder));
  }
}

// The files of `folder` that have one of `endings`, by their name without it.
std::unordered_map<std::string, std::string> list_files(const fs::path& folder,
                                                        std::span<const std::string_view> endings) {
  std::unordered_map<std::string, std::string> files;
  for (const std::string& file : names_in(folder)) {
    const size_t dot = std::min(file.rfind('.'), file.size());
    if (std::ranges::find(endings, std::string_view(file).substr(dot)) == endings.end()) continue;
    const auto [known, is_new] = files.emplace(file.substr(0, dot), file);
    if (is_new) continue;
    throw bad_input(fmt::format("{} holds both {} and {}", folder.string(), known->second, file),
                    "keep one of them");
  }
  return files;
}

// The first few of many names, for a message.
std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  const auto shown = std::span(names).first(std::min(names.size(), kShown));
  std::string text = fmt::format("{}", fmt::join(shown, ", "));
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

// The file of each name; a name without one is added to `missing`.
std::vector<std::string> find_files(const std::vector<std::string>& names, const fs::path& folder,
                                    std::span<const std::string_view> endings,
                                    std::vector<std::string>& missing) {
  const auto files = list_files(folder, endings);
  std::vector<std::string> found;
  found.reserve(names.size());
  for (const std::string& name : names) {
    const auto file = files.find(name);
    if (file == files.end()) {
      missing.push_back(name);
    } else {
      found.push_back(file->second);
    }
  }
  return found;
}

std::vector<bool> read_seen(const fs::path& unseen_list, const std::vector<std::string>& classes) {
  std::vector<bool> seen(classes.size(), true);
  if (!fs::exists(unseen_list)) return seen;
  for (const std::string& name : read_list(unseen_list)) {
    const auto position = std::ranges::find(classes, name);
    if (position == classes.end()) {
      const auto meant = nearest(name, classes);
      throw bad_input(fmt::format("{}: \"{}\" is not in classes.txt", unseen_list.string(), name),
                      meant ? fmt::format("did you mean \"{}\"?", *meant) : "");
    }
    seen[position - classes.begin()] = false;
  }
  return seen;
}

}  // namespace

FolderDataset::FolderDataset(fs::path folder, const std::string& split)
    : folder_(std::move(folder)) {
  check_layout(folder_, split);
  classes_ = read_list(folder_ / kClasses);
  if (classes_.size() > kIgnore) {
    throw bad_input(fmt::format("{} has {} classes; label files can tell {} apart",
                                (folder_ / kClasses).string(), classes_.size(), kIgnore));
  }
  seen_ = read_seen(folder_ / kUnseen, classes_);
  names_ = read_list(folder_ / (split + ".txt"));

  constexpr std::string_view kPhotoEndings[] = {".jpg", ".jpeg", ".png", ".webp"};
  constexpr std::string_view kLabelEndings[] = {".png"};
  std::vector<std::string> without_photo, without_labels;
  photo_files_ = find_files(names_, folder_ / "images", kPhotoEndings, without_photo);
  find_files(names_, folder_ / "labels", kLabelEndings, without_labels);
  std::vector<std::string> problems;
  if (!without_photo.empty()) problems.push_back("no photo for " + some_of(without_photo));
  if (!without_labels.empty()) problems.push_back("no label file for " + some_of(without_labels));
  if (problems.empty()) return;
  throw bad_input(
      fmt::format("{}: {}", (folder_ / (split + ".txt")).string(), fmt::join(problems, "; ")),
      "names stand without ending; photos are in images/, label files in labels/");
}

Image FolderDataset::image(size_t index) const { return read_image(image_path(index)); }

LabelMap FolderDataset::labels(size_t index) const {
  LabelMap map = read_label_map(label_path(index));
  const auto wrong = std::ranges::find_if(
      map.labels, [this](uint16_t label) { return label >= classes_.size() && label != kIgnore; });
  if (wrong == map.labels.end()) return map;
  const auto position = wrong - map.labels.begin();
  throw bad_input(
      fmt::format("{}: the pixel at x {}, y {} has label {}, but classes.txt ends at {}",
                  label_path(index).string(), position % map.width, position / map.width, *wrong,
                  classes_.size() - 1),
      "labels are line numbers of classes.txt, counted from 0; 255 is void");
}

LabelledImage FolderDataset::read(size_t index) const {
  LabelledImage sample{image(index), labels(index)};
  const auto& [photo, map] = sample;
  if (photo.width == map.width && photo.height == map.height) return sample;
  throw bad_input(fmt::format("{} is {}x{}, but its photo {} is {}x{}", label_path(index).string(),
                              map.width, map.height, image_path(index).string(), photo.width,
                              photo.height));
}

}  // namespace tagclip
