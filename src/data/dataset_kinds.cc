#include "data/dataset_kinds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxListBytes = uint64_t{1} << 20;

bool holds(const fs::path& folder, std::string_view alternatives) {
  while (true) {
    const size_t end = std::min(alternatives.find('|'), alternatives.size());
    if (path_exists(folder / alternatives.substr(0, end))) return true;
    if (end == alternatives.size()) return false;
    alternatives.remove_prefix(end + 1);
  }
}

std::vector<std::string> missing_parts(const fs::path& folder, const DatasetKind& kind) {
  std::vector<std::string> missing;
  for (const std::string_view part : kind.must_hold) {
    if (holds(folder, part)) continue;
    std::string text(part);
    if (const size_t bar = text.find('|'); bar != text.npos) text.replace(bar, 1, " or ");
    missing.push_back(std::move(text));
  }
  return missing;
}

bool fits_pattern(std::string_view name, std::string_view pattern) {
  if (pattern.ends_with('*')) {
    pattern.remove_suffix(1);
    name = name.substr(0, pattern.size());
  }
  return std::ranges::equal(name, pattern, [](char c, char wanted) {
    return wanted == '#' ? c >= '0' && c <= '9' : c == wanted;
  });
}

// Whether most of the first photos are called as the published set calls them.
bool has_published_photos(const fs::path& folder, const DatasetKind& kind) {
  constexpr int kLooks = 100;
  int looks = 0, fitting = 0;
  for (const char* split : {"train", "val"}) {
    const fs::path photos = folder / folder_of_split(kind, kind.photos, split);
    if (path_status(photos).kind != PathKind::kFolder) continue;
    for (const FolderEntry& entry : list_folder(photos)) {
      if (entry.name.starts_with('.')) continue;
      if (looks == kLooks) break;
      ++looks;
      fitting += fits_pattern(fs::path(entry.name).stem().string(), kind.photo_names);
    }
  }
  return looks == 0 || 2 * fitting > looks;
}

// Whether a class list of the folder has as many lines as the published set has classes.
bool has_published_classes(const fs::path& folder, const DatasetKind& kind) {
  const auto list = find_class_list(folder);
  if (!list) return true;
  const size_t lines = split_lines(read_text(*list, kMaxListBytes)).size();
  return lines == kind.classes.size() ||
         (kind.zero_is_background && lines == kind.classes.size() + 1);
}

// Whether a folder that is laid out like a published set holds that set, not somebody's own.
bool is_published(const fs::path& folder, const DatasetKind& kind) {
  return has_published_photos(folder, kind) && has_published_classes(folder, kind);
}

std::vector<const DatasetKind*> fitting_kinds(const fs::path& folder) {
  std::vector<const DatasetKind*> fitting;
  for (const DatasetKind& kind : dataset_kinds()) {
    if (!missing_parts(folder, kind).empty()) continue;
    if (kind.photo_names.empty() || is_published(folder, kind)) fitting.push_back(&kind);
  }
  // VOC's folders with a class list fit both; published photos say which.
  const auto published = [](const DatasetKind* kind) { return !kind->photo_names.empty(); };
  if (std::ranges::any_of(fitting, published)) {
    std::erase_if(fitting, [&](const DatasetKind* kind) {
      return !published(kind) && kind != &dataset_kinds().front();
    });
  }
  return fitting;
}

// Those of the next `looks` things in a folder that are folders themselves; none where it cannot be
// read.
std::vector<fs::path> folders_in(const fs::path& folder, int& looks) {
  std::vector<fs::path> folders;
  try {
    for (const FolderEntry& entry : list_folder(folder)) {
      if (looks-- <= 0) break;
      const fs::path path = folder / entry.name;
      if (entry.kind.value_or(path_status(path).kind) == PathKind::kFolder) folders.push_back(path);
    }
  } catch (const Error&) {
    return folders;
  }
  return folders;
}

bool fits_any(const fs::path& folder) {
  try {
    return !fitting_kinds(folder).empty();
  } catch (const Error&) {  // a folder that may not be entered
    return false;
  }
}

// A folder inside `folder`, at most two levels down, that is a data set: people name the one above.
std::string data_set_inside(const fs::path& folder) {
  int looks = 1000;
  for (const fs::path& inner : folders_in(folder, looks)) {
    if (fits_any(inner)) return inner.string();
    for (const fs::path& innermost : folders_in(inner, looks)) {
      if (fits_any(innermost)) return innermost.string();
    }
  }
  return {};
}

// The folder is laid out like a published set, but holds other photos, and no list of its classes.
Error is_unnamed_own_set(const fs::path& folder, const DatasetKind& kind) {
  if (path_status(folder / "labelmap.txt").kind == PathKind::kFile) {
    return bad_input(
        folder.string() +
            " is an export of CVAT: its masks hold the colours of "
            "labelmap.txt, not the numbers of classes",
        fmt::format("tagclip data convert {} -o FOLDER makes a data set of it", folder.string()));
  }
  return bad_input(
      fmt::format("{} is laid out like {}, but its photos are not called as there ({}): a set of "
                  "your own needs a class list",
                  folder.string(), kind.name, kind.photo_names),
      fmt::format("write classes.txt, the name of each label value from 0 on in a line of its own; "
                  "`dataset` {} reads it as {}'s classes all the same",
                  kind.name, kind.name));
}

// Tells of the kinds the folder has a part of, or of all when it has none.
Error fits_none(const fs::path& folder) {
  for (const DatasetKind& kind : dataset_kinds()) {
    if (!kind.photo_names.empty() && missing_parts(folder, kind).empty()) {
      return is_unnamed_own_set(folder, kind);
    }
  }
  std::vector<std::string> near, all;
  for (const DatasetKind& kind : dataset_kinds()) {
    if (kind.name == "context60" || kind.name == "coco-object") continue;  // as the kind before
    if (&kind != &dataset_kinds().front() && kind.name == "folder") continue;
    const auto missing = missing_parts(folder, kind);
    all.push_back(fmt::format("{} lacks {}", kind.name, fmt::join(missing, ", ")));
    if (missing.size() < kind.must_hold.size()) near.push_back(all.back());
  }
  const std::string inside = data_set_inside(folder);
  return bad_input(fmt::format("{} is laid out like no data set: {}", folder.string(),
                               fmt::join(near.empty() ? all : near, "; ")),
                   inside.empty() ? "a folder of your own has images/, labels/, classes.txt and a "
                                    "list of names for each split; tagclip data convert makes one "
                                    "of what annotation tools export"
                                  : "did you mean " + inside + "?");
}

const DatasetKind& detect(const fs::path& folder) {
  const auto fitting = fitting_kinds(folder);
  if (fitting.empty()) throw fits_none(folder);
  // Kinds that share a layout stand one after the other; the first is the usual one.
  const auto other = std::ranges::find_if(fitting, [&](const DatasetKind* kind) {
    return kind->must_hold != fitting.front()->must_hold;
  });
  if (other == fitting.end()) return *fitting.front();
  throw bad_input(
      fmt::format("{} could be {} or {}", folder.string(), fitting.front()->name, (*other)->name),
      "`dataset` says which");
}

}  // namespace

const std::vector<DatasetKind>& dataset_kinds() {
  constexpr std::string_view kVocPhotos = "####_######";
  const std::vector<SplitName> kAdeSplits = {{"train", "training"}, {"val", "validation"}};
  static const std::vector<DatasetKind> kinds = {
      {.name = "folder",
       .must_hold = {"images/", "labels/", "classes.txt"},
       .photos = "images",
       .labels = {{"labels", ".png"}},
       .lists = ""},
      // Sets of one's own in VOC's folders, as LabelMe makes them, and in COCO's.
      {.name = "folder",
       .must_hold = {"JPEGImages/", "SegmentationClass/|SegmentationClassPNG/",
                     "classes.txt|class_names.txt"},
       .photos = "JPEGImages",
       .labels = {{"SegmentationClass", ".png"}, {"SegmentationClassPNG", ".png"}},
       .lists = "ImageSets/Segmentation"},
      {.name = "folder",
       .must_hold = {"images/train2017/|images/val2017/",
                     "annotations/train2017/|annotations/val2017/", "classes.txt|class_names.txt"},
       .photos = "images/{}2017",
       .labels = {{"annotations/{}2017", ".png"}},
       .lists = "",
       .lists_itself = true},
      {.name = "folder",
       .must_hold = {"images/training/|images/validation/",
                     "annotations/training/|annotations/validation/",
                     "classes.txt|class_names.txt"},
       .photos = "images/{}",
       .labels = {{"annotations/{}", ".png"}},
       .lists = "",
       .lists_itself = true,
       .split_names = kAdeSplits},
      // The devkit's layout. SBD's further labels, made into PNGs, lie in SegmentationClassAug.
      {.name = "voc2012",
       .must_hold = {"JPEGImages/", "SegmentationClass/|SegmentationClassAug/",
                     "ImageSets/Segmentation/"},
       .photos = "JPEGImages",
       .labels = {{"SegmentationClass", ".png"}, {"SegmentationClassAug", ".png"}},
       .lists = "ImageSets/Segmentation",
       .classes = voc_classes(),
       .zero_is_background = true,
       .reduce_zero_label = true,
       .usual_unseen = "voc-5",
       .photo_names = kVocPhotos},
      // 164K. mmsegmentation writes *_labelTrainIds.png beside the published maps.
      {.name = "coco-stuff",
       .must_hold = {"images/train2017/|images/val2017/",
                     "annotations/train2017/|annotations/val2017/"},
       .photos = "images/{}2017",
       .labels = {{"annotations/{}2017", "_labelTrainIds.png"},
                  {"annotations/{}2017", ".png", /*coco_ids=*/true}},
       .lists = "",
       .lists_itself = true,
       .classes = coco_stuff_classes(),
       .usual_unseen = "coco-stuff-15",
       .photo_names = "############"},
      // COCO's things with background, as GroupViT makes them of the same folders.
      {.name = "coco-object",
       .must_hold = {"images/train2017/|images/val2017/",
                     "annotations/train2017/|annotations/val2017/"},
       .photos = "images/{}2017",
       .labels = {{"annotations/{}2017", "_instanceTrainIds.png"}},
       .lists = "",
       .lists_itself = true,
       .classes = coco_object_classes(),
       .zero_is_background = true,
       .photo_names = "############"},
      // ADEChallengeData2016.
      {.name = "ade20k",
       .must_hold = {"images/training/|images/validation/",
                     "annotations/training/|annotations/validation/"},
       .photos = "images/{}",
       .labels = {{"annotations/{}", ".png"}},
       .lists = "",
       .lists_itself = true,
       .split_names = kAdeSplits,
       .classes = ade20k_classes(),
       .zero_is_background = true,
       .reduce_zero_label = true,
       .photo_names = "ADE_*"},
      // VOC 2010's photos with the label PNGs that mmsegmentation makes of PASCAL Context.
      {.name = "context59",
       .must_hold = {"JPEGImages/", "SegmentationClassContext/", "ImageSets/SegmentationContext/"},
       .photos = "JPEGImages",
       .labels = {{"SegmentationClassContext", ".png"}},
       .lists = "ImageSets/SegmentationContext",
       .classes = context_classes(),
       .zero_is_background = true,
       .reduce_zero_label = true,
       .usual_unseen = "context-zs3",
       .photo_names = kVocPhotos},
      {.name = "context60",
       .must_hold = {"JPEGImages/", "SegmentationClassContext/", "ImageSets/SegmentationContext/"},
       .photos = "JPEGImages",
       .labels = {{"SegmentationClassContext", ".png"}},
       .lists = "ImageSets/SegmentationContext",
       .classes = context_classes(),
       .zero_is_background = true,
       .reduce_zero_label = false,
       .usual_unseen = "context-zs3",
       .photo_names = kVocPhotos},
  };
  return kinds;
}

std::vector<std::string> dataset_kind_names() {
  std::vector<std::string> names = {"auto"};
  for (const DatasetKind& kind : dataset_kinds()) {
    if (names.back() != kind.name) names.emplace_back(kind.name);
  }
  return names;
}

std::optional<fs::path> find_class_list(const fs::path& folder) {
  for (const char* name : {"classes.txt", "class_names.txt"}) {
    if (path_status(folder / name).kind == PathKind::kFile) return folder / name;
  }
  return {};
}

const DatasetKind& find_dataset_kind(const fs::path& folder, const std::string& name) {
  const auto& kinds = dataset_kinds();
  const auto kind = std::ranges::find(kinds, name, &DatasetKind::name);
  if (kind == kinds.end() && name != "auto") {
    const auto names = dataset_kind_names();
    throw usage_error(fmt::format("there is no kind of data set called \"{}\"", name),
                      did_you_mean(name, names, fmt::format("one of {}", fmt::join(names, ", "))));
  }
  if (!is_folder(folder)) {
    throw bad_input(fmt::format("there is no data set folder {}", folder.string()));
  }
  if (kind == kinds.end()) return detect(folder);
  for (const DatasetKind& layout : kinds) {
    if (layout.name == name && missing_parts(folder, layout).empty()) return layout;
  }
  const auto missing = missing_parts(folder, *kind);
  throw bad_input(
      fmt::format("the data set {} lacks {}", folder.string(), fmt::join(missing, ", ")),
      fmt::format("{} is read as a {} set; \"auto\" finds out what it is", folder.string(),
                  kind->name));
}

std::string folder_of_split(const DatasetKind& kind, std::string_view folder,
                            std::string_view split) {
  const auto known = std::ranges::find(kind.split_names, split, &SplitName::split);
  if (known != kind.split_names.end()) split = known->folder;
  std::string text(folder);
  if (const size_t place = text.find("{}"); place != text.npos) text.replace(place, 2, split);
  return text;
}

}  // namespace tagclip
