#include "data/dataset_info.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "data/unseen_splits.h"
#include "text/list_file.h"

namespace tagclip {
namespace {

namespace fs = std::filesystem;

constexpr const char* kClassList = "classes.txt";
constexpr const char* kUnseenList = "unseen.txt";

bool is_list(const fs::path& path) {
  std::error_code unreadable;
  return fs::is_regular_file(path, unreadable);
}

bool reduces_zero_label(const DatasetOptions& options, const DatasetKind& kind) {
  if (options.zero_label == ZeroLabel::kAuto) return kind.reduce_zero_label;
  const bool reduce = options.zero_label == ZeroLabel::kReduce;
  if (reduce && !kind.classes.empty() && !kind.zero_is_background) {
    throw usage_error(fmt::format("zero_label: 0 is \"{}\" in a {} set, it cannot be left out",
                                  kind.classes.front(), kind.name),
                      "leave zero_label at \"auto\"");
  }
  return reduce;
}

std::vector<std::string> builtin_classes(const DatasetKind& kind, bool reduce) {
  std::vector<std::string> classes(kind.classes.begin(), kind.classes.end());
  if (kind.zero_is_background && !reduce) classes.insert(classes.begin(), "background");
  return classes;
}

// classes.txt names every value of the label files of a plain folder; elsewhere it renames the
// classes that are built in.
std::vector<std::string> read_classes(const fs::path& folder, const DatasetKind& kind,
                                      bool reduce) {
  const fs::path list = folder / kClassList;
  std::vector<std::string> classes = builtin_classes(kind, reduce);
  if (!kind.classes.empty()) {
    if (!is_list(list)) return classes;
    std::vector<std::string> own = read_names(list);
    if (own.size() == classes.size()) return own;
    throw bad_input(fmt::format("{} has {} lines, but a {} set has {} classes", list.string(),
                                own.size(), kind.name, classes.size()),
                    "remove it: their names are built in");
  }
  classes = read_names(list);
  if (classes.size() > kIgnore) {
    throw bad_input(fmt::format("{} has {} classes; label files can tell {} apart", list.string(),
                                classes.size(), kIgnore));
  }
  if (!reduce) return classes;
  if (classes.size() == 1) {
    throw bad_input(list.string() + " has one class, and reducing the zero label leaves it out");
  }
  classes.erase(classes.begin());
  return classes;
}

// A renamed class keeps its place in the usual split.
std::vector<bool> usual_seen(const DatasetKind& kind, bool reduce, size_t classes) {
  if (kind.usual_unseen.empty()) return std::vector<bool>(classes, true);
  return seen_classes(std::string(kind.usual_unseen), builtin_classes(kind, reduce));
}

std::vector<bool> read_seen(const DatasetOptions& options, const DatasetInfo& info) {
  if (!options.unseen.empty()) return seen_classes(options.unseen, info.classes);
  const fs::path own = info.folder / kUnseenList;
  if (is_list(own)) return seen_classes(own.string(), info.classes);
  return usual_seen(*info.kind, info.reduce_zero_label, info.classes.size());
}

}  // namespace

DatasetInfo read_dataset_info(const DatasetOptions& options) {
  DatasetInfo info{options.folder};
  info.kind = &find_dataset_kind(info.folder, options.kind);
  info.reduce_zero_label = reduces_zero_label(options, *info.kind);
  info.classes = read_classes(info.folder, *info.kind, info.reduce_zero_label);
  info.seen = read_seen(options, info);
  for (const LabelFiles& files : info.kind->labels) {
    info.mappings.emplace_back(files.coco_ids           ? LabelCoding::kCocoIds
                               : info.reduce_zero_label ? LabelCoding::kZeroBackground
                                                        : LabelCoding::kClasses,
                               info.classes.size());
  }
  return info;
}

}  // namespace tagclip
