#pragma once

#include <string>
#include <vector>

#include "data/dataset_info.h"
#include "data/split_files.h"
#include "data_check/finding.h"
#include "data_check/image_label_stats.h"

namespace tagclip {

// A split with what its files told.
struct CheckedSplit {
  std::string name;
  SplitFiles files;
  std::vector<ImageLabelStats> facts;  // one a pair
};

// Photos and labels without partner, unreadable files, sizes that differ, nothing but void.
void find_file_mistakes(const CheckedSplit& split, std::vector<Finding>& findings);

// Seen and unseen swapped, background trained as a class, seen classes that training never shows,
// unseen ones that validation never asks for. The first split is the one trained on, the last the
// one validated on.
void find_class_mistakes(const DatasetInfo& info, const std::vector<CheckedSplit>& splits,
                         std::vector<Finding>& findings);

// Photos of one split that are in another, too, or are copies of one there.
void find_near_duplicates(const std::vector<CheckedSplit>& splits, std::vector<Finding>& findings);

}  // namespace tagclip
