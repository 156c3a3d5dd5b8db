#include "data/dataset_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "text/class_file.h"
#include "text/same_words.h"

namespace tagclip {
namespace {

constexpr int kVoid8 = 255;

// Category ids that COCO gave up before it published labels; pixel maps store id - 1.
constexpr int kUnusedCocoIds[] = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91};

// True if a value of the pixel maps stands for a category.
bool is_coco_value(int value) {
  return std::ranges::find(kUnusedCocoIds, value + 1) == std::end(kUnusedCocoIds);
}

namespace fs = std::filesystem;

constexpr const char* kUnseenList = "unseen.txt";

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

// The place of a class in the list is the value of its labels.
void check_values(const std::vector<ListedClass>& listed) {
  for (size_t i = 0; i < listed.size(); ++i) {
    const ListedClass& entry = listed[i];
    const auto place = static_cast<int64_t>(i);
    if (entry.id && *entry.id != place) {
      throw bad_input(
          fmt::format("{}: \"{}\" has the number {}, but it is class {}: the values of label files "
                      "count from 0, without gaps",
                      entry.where, entry.words.front(), *entry.id, place),
          "number the classes 0, 1, 2, ... as the label files do");
    }
    if (!entry.id && entry.line != 0 && entry.line - listed.front().line != place) {
      throw bad_input(
          fmt::format("{}: an empty line or a comment stands before it, but the place of "
                      "a class in the list is the value of its labels",
                      entry.where),
          "take it out, or number all lines: 0: sky");
    }
  }
}

// Two classes that CLIP cannot tell apart would share their pixels by chance.
void check_distinct(const std::vector<ListedClass>& listed) {
  std::unordered_map<std::string, std::pair<std::string, std::string>> first;  // word, where
  for (const ListedClass& entry : listed) {
    for (const std::string& word : entry.words) {
      const auto [found, is_new] = first.try_emplace(spelling(word), std::pair(word, entry.where));
      if (is_new || found->second.second == entry.where) continue;
      throw bad_input(
          fmt::format("{}: {} is the same to CLIP as {} of {}", entry.where, in_quotes(word),
                      in_quotes(found->second.first), found->second.second),
          "each place in the list is a label value of its own: give one of the classes other "
          "words");
    }
  }
}

std::vector<ClassWords> read_class_list(const fs::path& list) {
  const std::vector<ListedClass> listed = read_class_file(list);
  if (listed.front().words.front() == "__ignore__") {
    throw bad_input(listed.front().where +
                        ": __ignore__ stands for pixels without a class, -1 to "
                        "LabelMe, but the first line names the value 0",
                    "take the line out, as LabelMe's own exports do");
  }
  check_values(listed);
  check_distinct(listed);
  std::vector<ClassWords> classes;
  for (const ListedClass& entry : listed) classes.push_back({entry.words});
  std::string& first = classes.front().words.front();
  if (first == "_background_") first = "background";  // as LabelMe's tools write it
  return classes;
}

// The class list names every value of the label files of a set of one's own; elsewhere it renames
// the classes that are built in.
std::vector<ClassWords> read_classes(const fs::path& folder, const DatasetKind& kind, bool reduce) {
  const auto list = find_class_list(folder);
  std::vector<ClassWords> classes = as_classes(builtin_classes(kind, reduce));
  if (!kind.classes.empty()) {
    if (!list) return classes;
    std::vector<ClassWords> own = read_class_list(*list);
    if (own.size() == classes.size()) return own;
    throw bad_input(fmt::format("{} names {}, but a {} set has {} classes", list->string(),
                                own.size(), kind.name, classes.size()),
                    "with `dataset` folder these are classes of your own; without the file the "
                    "built-in names count");
  }
  classes = read_class_list(*list);
  if (classes.size() > kIgnoreIndex) {
    throw bad_input(fmt::format("{} has {} classes; label files can tell {} apart", list->string(),
                                classes.size(), kIgnoreIndex));
  }
  if (!reduce) return classes;
  if (classes.size() == 1) {
    throw bad_input(list->string() + " has one class, and reducing the zero label leaves it out");
  }
  classes.erase(classes.begin());
  return classes;
}

// A renamed class keeps its place in the usual split.
std::vector<bool> usual_seen(const DatasetKind& kind, bool reduce, size_t classes) {
  if (kind.usual_unseen.empty()) return std::vector<bool>(classes, true);
  return seen_classes(std::string(kind.usual_unseen), as_classes(builtin_classes(kind, reduce)));
}

std::vector<bool> read_seen(const DatasetOptions& options, const DatasetInfo& info) {
  if (!options.unseen.empty()) return seen_classes(options.unseen, info.words);
  const fs::path own = info.folder / kUnseenList;
  if (is_file(own)) return seen_classes(own.string(), info.words);
  return usual_seen(*info.kind, info.reduce_zero_label, info.classes.size());
}

}  // namespace

LabelMapping::LabelMapping(LabelCoding coding, size_t classes)
    : coding_(coding), table_(size_t{kIgnoreIndex} + 1, kNoClass) {
  int value = 0;
  if (coding == LabelCoding::kZeroBackground) table_[value++] = kIgnoreIndex;
  for (int c = 0; c < static_cast<int>(classes); ++c, ++value) {
    while (coding == LabelCoding::kCocoIds && !is_coco_value(value)) ++value;
    if (value >= kIgnoreIndex) break;
    table_[value] = c;
    last_ = value;
  }
  if (table_[kVoid8] == kNoClass) table_[kVoid8] = kIgnoreIndex;
  table_[kIgnoreIndex] = kIgnoreIndex;
}

DatasetInfo read_dataset_info(const DatasetOptions& options) {
  DatasetInfo info{options.folder};
  info.kind = &find_dataset_kind(info.folder, options.kind);
  info.reduce_zero_label = reduces_zero_label(options, *info.kind);
  info.words = read_classes(info.folder, *info.kind, info.reduce_zero_label);
  for (const ClassWords& entry : info.words) info.classes.push_back(entry.name());
  info.seen = read_seen(options, info);
  info.limits.max_pixels = options.max_pixels;
  for (const LabelFiles& files : info.kind->labels) {
    info.mappings.emplace_back(files.coco_ids           ? LabelCoding::kCocoIds
                               : info.reduce_zero_label ? LabelCoding::kZeroBackground
                                                        : LabelCoding::kClasses,
                               info.classes.size());
  }
  return info;
}

}  // namespace tagclip
