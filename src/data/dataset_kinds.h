#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/class_lists.h"

namespace tagclip {

// Label files with one layout: FOLDER/NAME + ending.
struct LabelFiles {
  std::string_view folder;
  std::string_view ending;
  bool coco_ids = false;  // values are COCO-Stuff's category ids - 1, not class indices
};

// What a set calls a split in the names of its folders.
struct SplitName {
  std::string_view split;
  std::string_view folder;
};

// The layout of a kind of data set, and the meaning of its labels. In folder names, {} stands for
// the split.
struct DatasetKind {
  std::string_view name;                    // what the user types
  std::vector<std::string_view> must_hold;  // a|b: one of them
  std::string_view photos;                  // folder
  std::vector<LabelFiles> labels;           // the first that has the file of a name counts
  std::string_view lists;                   // folder of <split>.txt; empty: beside the set
  bool lists_itself = false;                // without a list, a split is the content of its folders
  std::vector<SplitName> split_names = {};  // in {}; others are called as they are
  NameList classes = {};                    // empty: classes.txt, which names every value from 0
  bool zero_is_background = false;          // value 0 precedes `classes`
  bool reduce_zero_label = false;           // unless the user says otherwise
  std::string_view usual_unseen = {};       // a built-in split
  // How a published set calls its photos, # being a digit and * any ending: a folder of other
  // photos is laid out like it, but somebody's own.
  std::string_view photo_names = {};
};

// All kinds; the first is the plain folder. Those of one name are several layouts of one kind.
const std::vector<DatasetKind>& dataset_kinds();

// "auto" and the names of the kinds.
std::vector<std::string> dataset_kind_names();

// The list that names the classes of a set of one's own, where there is one: classes.txt, or
// LabelMe's class_names.txt.
std::optional<std::filesystem::path> find_class_list(const std::filesystem::path& folder);

// The kind called `name`, or for "auto" the one whose files and folders `folder` holds: a published
// set only when its photos have that set's names and its class list, if there is one, the right
// length. Throws Error: kUsage for an unknown name (with the nearest one), kBadInput listing what
// is missing when there is no such folder or it is not of that kind, or when it fits several kinds.
const DatasetKind& find_dataset_kind(const std::filesystem::path& folder, const std::string& name);

// `folder` with {} replaced by what the kind calls `split`.
std::string folder_of_split(const DatasetKind& kind, std::string_view folder,
                            std::string_view split);

}  // namespace tagclip
