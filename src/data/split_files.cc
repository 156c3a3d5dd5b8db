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

// The files of a folder and those below it, by their names inside of it.
struct Listing {
  FilesByName files;   // of the endings that were asked for
  FilesByName others;  // the rest
};

constexpr std::string_view kPhotoEndings[] = {".jpg", ".jpeg", ".png", ".webp", ".jfif", ".jpe"};
constexpr std::string_view kLabelSuffixes[] = {"_masks", "_mask",       "-mask",         "_labels",
                                               "_label", "-label",      "_segmentation", "_seg",
                                               "_gt",    "_groundtruth"};
constexpr std::string_view kNoSplits[] = {"classes.txt", "class_names.txt", "unseen.txt",
                                          "labelmap.txt"};

bool ends_with_any_case(std::string_view file, std::string_view ending) {
  if (file.size() < ending.size()) return false;
  return std::ranges::equal(file.substr(file.size() - ending.size()), ending, [](char a, char b) {
    const auto lower = [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    return lower(a) == lower(b);
  });
}

constexpr int kMostFolders = 8;  // below each other

// Adds the names in `folder` and in those below it, without a look at the files. Hidden ones, such
// as macOS's ._a.jpg, are none.
void add_names(const fs::path& folder, const std::string& prefix, int depth,
               std::vector<std::string>& names) {
  for (const auto& [name, kind] : list_folder(folder)) {
    if (name.starts_with('.')) continue;
    // Only a link needs a look.
    const PathKind found = kind ? *kind : path_status(folder / name).kind;
    if (depth < kMostFolders && found == PathKind::kFolder) {
      add_names(folder / name, prefix + name + "/", depth + 1, names);
    } else {
      names.push_back(prefix + name);
    }
  }
}

std::vector<std::string> names_below(const fs::path& folder) {
  std::vector<std::string> names;
  add_names(folder, "", 0, names);
  return names;
}

// The files of `folder`, and which of them have one of `endings`.
Listing list_files(const fs::path& folder, std::span<const std::string_view> endings) {
  Listing listing;
  for (const std::string& file : names_below(folder)) {
    const auto ending = std::ranges::find_if(
        endings, [&](std::string_view candidate) { return ends_with_any_case(file, candidate); });
    if (ending == endings.end()) {
      listing.others.emplace(file.substr(0, file.rfind('.')), file);
      continue;
    }
    const auto [known, is_new] =
        listing.files.emplace(file.substr(0, file.size() - ending->size()), file);
    if (is_new) continue;
    throw bad_input(fmt::format("{} holds both {} and {}", folder.string(), known->second, file),
                    "keep one of them");
  }
  return listing;
}

// Label files whose names say that they are labels stand for their photos, too.
void add_names_without_suffix(const fs::path& folder, FilesByName& files) {
  FilesByName more;
  for (const auto& [name, file] : files) {
    const std::string photo = without_label_suffix(name);
    if (photo == name || files.contains(photo)) continue;
    const auto [known, is_new] = more.emplace(photo, file);
    if (is_new) continue;
    throw bad_input(fmt::format("{} holds both {} and {}", folder.string(), known->second, file),
                    "keep one of them");
  }
  files.merge(more);
}

// The label files of each of the kind's sorts.
std::vector<Listing> list_labels(const DatasetInfo& info, const std::string& split) {
  std::vector<Listing> sorts;
  for (const LabelFiles& files : info.kind->labels) {
    const fs::path folder = info.folder / folder_of_split(*info.kind, files.folder, split);
    sorts.push_back(is_folder(folder) ? list_files(folder, {&files.ending, 1}) : Listing{});
    if (info.kind->classes.empty()) add_names_without_suffix(folder, sorts.back().files);
  }
  // A name of one sort may look like that of another with a shorter ending.
  for (size_t i = 0; i + 1 < sorts.size(); ++i) {
    if (info.kind->labels[i].folder != info.kind->labels[i + 1].folder) continue;
    for (const auto& [name, file] : sorts[i].files) {
      const std::string taken =
          file.substr(0, file.size() - info.kind->labels[i + 1].ending.size());
      if (taken != name) sorts[i + 1].files.erase(taken);
    }
  }
  return sorts;
}

// The entry of a listed name, which may stand there with its ending.
FilesByName::const_iterator find_file(const FilesByName& files, const std::string& name) {
  const auto file = files.find(name);
  if (file != files.end() || !has_photo_ending(name)) return file;
  const auto without = files.find(name.substr(0, name.rfind('.')));
  return without != files.end() && without->second == name ? without : files.end();
}

// True for a name that only something before or behind it tells from another: "a_labelIds" of "a".
bool is_relative(std::string_view name, std::string_view of) {
  constexpr std::string_view kJoints = "_-. ";
  if (name.size() <= of.size()) return false;
  return (name.starts_with(of) && kJoints.find(name[of.size()]) != kJoints.npos) ||
         (name.ends_with(of) && kJoints.find(name[name.size() - of.size() - 1]) != kJoints.npos);
}

// What may have been meant by a name that has no file, as a sentence: a file with another ending,
// in a folder below, or with something before or behind its name.
std::string explain_missing(const std::string& name, const std::string& folder,
                            const Listing& listing, const char* wanted) {
  if (const auto other = listing.others.find(name); other != listing.others.end()) {
    return fmt::format("{}/{} is there, but {}", folder, other->second, wanted);
  }
  for (const auto& [inside, file] : listing.files) {
    if (inside.ends_with("/" + name)) {
      return fmt::format("{}/{} is there: the list has to say {}", folder, file, inside);
    }
  }
  std::string relative;  // the first by name, as the files have no order
  for (const auto& [inside, file] : listing.files) {
    if (is_relative(inside, name) && (relative.empty() || file < relative)) relative = file;
  }
  if (relative.empty()) return {};
  return fmt::format("{}/{} is there, but its name is another one", folder, relative);
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

Names names_of(const DatasetInfo& info, const std::string& split, const Listing& photos,
               const std::vector<Listing>& labels) {
  if (const auto list = find_list(info, split)) return {read_names(*list), list->string()};
  if (const auto lists = find_trainaug(info, split)) return joined(lists->first, lists->second);
  std::set<std::string> names;
  for (const auto& [name, file] : photos.files) names.insert(name);
  for (const Listing& sort : labels) {
    for (const auto& [name, file] : sort.files) names.insert(name);
  }
  const fs::path folder = info.folder / folder_of_split(*info.kind, info.kind->photos, split);
  if (names.empty()) throw bad_input(folder.string() + " holds no photos");
  return {{names.begin(), names.end()}, folder.string()};
}

void check_split(const DatasetInfo& info, const std::string& split) {
  if (find_list(info, split) || find_trainaug(info, split)) return;
  if (info.kind->lists_itself &&
      is_folder(info.folder / folder_of_split(*info.kind, info.kind->photos, split))) {
    return;
  }
  const auto splits = splits_of(info);
  throw bad_input(
      fmt::format("the data set {} has no split \"{}\": there is no {}", info.folder.string(),
                  split, list_candidates(info, split).back().string()),
      splits.empty() ? "a split is a list of names, one a line; tagclip data convert makes lists "
                       "for training and validation"
                     : fmt::format("splits here: {}", fmt::join(splits, ", ")));
}

// The lists of a folder.
void add_lists(const fs::path& folder, std::set<std::string>& splits) {
  if (!is_folder(folder)) return;
  std::vector<std::string> names;
  add_names(folder, "", kMostFolders, names);
  for (const fs::path name : names) {
    const bool other = std::ranges::find(kNoSplits, name.string()) != std::end(kNoSplits);
    if (!other && name.extension() == ".txt") splits.insert(name.stem().string());
  }
}

}  // namespace

SplitFiles list_split(const DatasetInfo& info, const std::string& split) {
  check_split(info, split);
  const std::string photo_folder = folder_of_split(*info.kind, info.kind->photos, split);
  const Listing photos = list_files(info.folder / photo_folder, kPhotoEndings);
  const std::vector<Listing> labels = list_labels(info, split);
  const Names names = names_of(info, split, photos, labels);

  SplitFiles files{names.list};
  const auto explain = [&](const std::string& name, const std::string& folder,
                           const Listing& listing, const char* wanted) {
    if (files.explanation.empty()) {
      files.explanation = explain_missing(name, folder, listing, wanted);
    }
  };
  for (const std::string& name : names.names) {
    const auto photo = find_file(photos.files, name);
    const std::string& known = photo == photos.files.end() ? name : photo->first;
    const auto sort = std::ranges::find_if(
        labels, [&](const Listing& listing) { return listing.files.contains(known); });
    if (photo == photos.files.end()) {
      files.without_photo.push_back(name);
      explain(name, photo_folder, photos, "photos are JPEG, PNG or WebP files");
    }
    if (sort == labels.end()) {
      files.without_labels.push_back(name);
      explain(name, folder_of_split(*info.kind, info.kind->labels.front().folder, split),
              labels.front(), "label files are PNG, as others do not keep their values");
    }
    const size_t i = sort == labels.end() ? 0 : sort - labels.begin();
    const LabelFiles& kind = info.kind->labels[i];
    const std::string photo_file = photo != photos.files.end() ? photo->second
                                   : has_photo_ending(name)    ? name
                                                               : name + ".jpg";
    const std::string label_file =
        sort == labels.end() ? known + std::string(kind.ending) : sort->files.at(known);
    files.listed.push_back({name, photo_folder + "/" + photo_file,
                            folder_of_split(*info.kind, kind.folder, split) + "/" + label_file, i});
    const bool is_complete = photo != photos.files.end() && sort != labels.end();
    if (is_complete) files.pairs.push_back(files.listed.back());
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
      if (is_folder(info.folder / folder_of_split(*info.kind, info.kind->photos, split)))
        splits.insert(split);
    }
  }
  return {splits.begin(), splits.end()};
}

bool has_photo_ending(std::string_view file) {
  return std::ranges::any_of(kPhotoEndings, [&](std::string_view ending) {
    return ends_with_any_case(file, ending) && file.size() > ending.size();
  });
}

std::string without_label_suffix(const std::string& stem) {
  for (const std::string_view suffix : kLabelSuffixes) {
    if (ends_with_any_case(stem, suffix) && stem.size() > suffix.size() &&
        stem[stem.size() - suffix.size() - 1] != '/') {
      return stem.substr(0, stem.size() - suffix.size());
    }
  }
  return stem;
}

}  // namespace tagclip
