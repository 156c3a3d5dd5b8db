#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset_kinds.h"
#include "data/dataset_options.h"
#include "data/label_mapping.h"

namespace tagclip {

// What is known of a data set before a split is chosen.
struct DatasetInfo {
  std::filesystem::path folder;
  const DatasetKind* kind = nullptr;
  bool reduce_zero_label = false;
  std::vector<std::string> classes;
  std::vector<bool> seen;              // per class
  std::vector<LabelMapping> mappings;  // of each of kind->labels

  bool begins_with_background() const { return !classes.empty() && classes[0] == "background"; }
};

// Throws Error(kBadInput) for a folder that is no such set, a list that cannot be read, a
// classes.txt of the wrong length, an unseen name that is no class (with the nearest);
// kUsage for options that do not fit the kind.
DatasetInfo read_dataset_info(const DatasetOptions& options);

}  // namespace tagclip
