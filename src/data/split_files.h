#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/dataset_info.h"

namespace tagclip {

// A photo and its label file, as paths inside the data set.
struct LabelledFile {
  std::string name;  // as the list has it
  std::string photo, labels;
  size_t label_files = 0;  // which of the kind's LabelFiles
};

// The files of a split.
struct SplitFiles {
  std::string list;                  // where the names come from: a list, or the folders
  std::vector<LabelledFile> pairs;   // in the list's order
  std::vector<LabelledFile> listed;  // these, and in their places those that lack a file: where it
                                     // would be
  std::vector<std::string> without_photo, without_labels;  // names; may be in both
  std::string explanation;  // what is there instead of the first of them, where that is known
};

// Lists the files of a split. Throws Error(kBadInput) when there is no such split (naming the
// existing ones), or when a list or folder cannot be read or holds two photos of one name.
SplitFiles list_split(const DatasetInfo& info, const std::string& split);

// The splits of a data set, in alphabetical order.
std::vector<std::string> splits_of(const DatasetInfo& info);

// Whether a file is a photo by its name, in any case: .jpg, .jpeg, .jpe, .jfif, .png or .webp.
bool has_photo_ending(std::string_view file);

// A label file's name without what only says that it has labels: "a" of "a_mask", "a_label", ...
std::string without_label_suffix(const std::string& stem);

}  // namespace tagclip
