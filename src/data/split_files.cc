#include "data/split_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/files.h"
#include "text/list_file.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

using FilesByName = std::unordered_map<std::string, std::string>;  // without ending → with it

constexpr std::string_view kPhotoEndings[] = {".jpg", ".jpeg", ".png", ".webp"};
constexpr std::string_view kNoSplits[] = {"classes.txt", "unseen.txt"};

// The files of `folder` that have one of `endings`.
FilesByName list_files(const fs::path& folder, std::span<const std::string_view> endings) {
  FilesByName files;
  for (const auto& [file, kind] : list_folder(folder)) {
    if (file.starts_with('.')) continue;  // hidden: what macOS keeps beside photos is named alike
    const auto ending = std::ranges::find_if(
        endings, [&](std::string_view candidate) { return file.ends_with(candidate); });
    if (ending == endings.end()) continue;
    const auto [known, is_new] = files.emplace(file.substr(0, file.size() - ending->size()), file);
    if (is_new) continue;
    throw bad_input(fmt::format("{} holds both {} and {}", folder.string(), known->second, file),
                    "keep one of them");
  }
  return files;
}

// The label files of each of the kind's sorts.
std::vector<FilesByName> list_labels(const DatasetInfo& info, const std::string& split) {
  std::vector<FilesByName> sorts;
  for (const LabelFiles& files : info.kind->labels) {
    const fs::path folder = info.folder / folder_of_split(files.folder, split);
    sorts.push_back(is_folder(folder) ? list_files(folder, {&files.ending, 1}) : FilesByName{});
  }
  // A name of one sort may look like that of another with a shorter ending.
  for (size_t i = 0; i + 1 < sorts.size(); ++i) {
    for (const auto& [name, file] : sorts[i]) {
      const std::string taken =
          file.substr(0, file.size() - info.kind->labels[i + 1].ending.size());
      if (taken != name) sorts[i + 1].erase(taken);
    }
  }
  return sorts;
}

std::vector<fs::path> list_candidates(const DatasetInfo& info, const std::string& split) {
  return {info.folder / (split + ".txt"), info.folder / info.kind->lists / (split + ".txt")};
}

std::optional<fs::path> find_list(const DatasetInfo& info, const std::string& split) {
  for (const fs::path& list : list_candidates(info, split)) {
    if (is_file(list)) return list;
  }
  return {};
}

// mmsegmentation trains VOC on these two lists together.
std::optional<std::pair<fs::path, fs::path>> find_trainaug(const DatasetInfo& info,
                                                           const std::string& split) {
  if (split != "trainaug") return {};
  const auto train = find_list(info, "train"), aug = find_list(info, "aug");
  if (!train || !aug) return {};
  return std::pair{*train, *aug};
}

struct Names {
  std::vector<std::string> names;
  std::string list;
};

Names joined(const fs::path& first, const fs::path& second) {
  Names both{read_names(first), first.string() + " and " + second.string()};
  const std::unordered_set<std::string> known(both.names.begin(), both.names.end());
  for (std::string& name : read_names(second)) {
    if (!known.contains(name)) both.names.push_back(std::move(name));
  }
  return both;
}

Names names_of(const DatasetInfo& info, const std::string& split, const FilesByName& photos,
               const std::vector<FilesByName>& labels) {
  if (const auto list = find_list(info, split)) return {read_names(*list), list->string()};
  if (const auto lists = find_trainaug(info, split)) return joined(lists->first, lists->second);
  std::set<std::string> names;
  for (const auto& [name, file] : photos) names.insert(name);
  for (const FilesByName& sort : labels) {
    for (const auto& [name, file] : sort) names.insert(name);
  }
  const fs::path folder = info.folder / folder_of_split(info.kind->photos, split);
  if (names.empty()) throw bad_input(folder.string() + " holds no photos");
  return {{names.begin(), names.end()}, folder.string()};
}

void check_split(const DatasetInfo& info, const std::string& split) {
  if (find_list(info, split) || find_trainaug(info, split)) return;
  if (info.kind->lists_itself &&
      is_folder(info.folder / folder_of_split(info.kind->photos, split))) {
    return;
  }
  const auto splits = splits_of(info);
  throw bad_input(
      fmt::format("the data set {} has no split \"{}\": there is no {}", info.folder.string(),
                  split, list_candidates(info, split).back().string()),
      fmt::format("splits here: {}",
                  splits.empty() ? "none" : fmt::format("{}", fmt::join(splits, ", "))));
}

// The lists of a folder.
void add_lists(const fs::path& folder, std::set<std::string>& splits) {
  if (!is_folder(folder)) return;
  for (const FolderEntry& entry : list_folder(folder)) {
    const fs::path name = entry.name;
    const bool other = std::ranges::find(kNoSplits, name.string()) != std::end(kNoSplits);
    if (!other && !entry.name.starts_with('.') && name.extension() == ".txt")
      splits.insert(name.stem().string());
  }
}

}  // namespace

SplitFiles list_split(const DatasetInfo& info, const std::string& split) {
  check_split(info, split);
  const std::string photo_folder = folder_of_split(info.kind->photos, split);
  const FilesByName photos = list_files(info.folder / photo_folder, kPhotoEndings);
  const std::vector<FilesByName> labels = list_labels(info, split);
  const Names names = names_of(info, split, photos, labels);

  SplitFiles files{names.list};
  for (const std::string& name : names.names) {
    const auto photo = photos.find(name);
    const auto sort =
        std::ranges::find_if(labels, [&](const FilesByName& l) { return l.contains(name); });
    if (photo == photos.end()) files.without_photo.push_back(name);
    if (sort == labels.end()) files.without_labels.push_back(name);
    if (photo == photos.end() || sort == labels.end()) continue;
    const size_t i = sort - labels.begin();
    files.pairs.push_back(
        {name, photo_folder + "/" + photo->second,
         folder_of_split(info.kind->labels[i].folder, split) + "/" + sort->at(name), i});
  }
  return files;
}

std::vector<std::string> splits_of(const DatasetInfo& info) {
  std::set<std::string> splits;
  add_lists(info.folder, splits);
  if (!info.kind->lists.empty()) add_lists(info.folder / info.kind->lists, splits);
  if (find_trainaug(info, "trainaug")) splits.insert("trainaug");
  if (info.kind->lists_itself) {
    for (const std::string split : {"train", "val"}) {
      if (is_folder(info.folder / folder_of_split(info.kind->photos, split))) splits.insert(split);
    }
  }
  return {splits.begin(), splits.end()};
}

std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  const auto shown = std::span(names).first(std::min(names.size(), kShown));
  std::string text = fmt::format("{}", fmt::join(shown, ", "));
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

}  // namespace tagclip
