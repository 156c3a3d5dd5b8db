#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/joined_classes.h"
#include "data/split_files.h"
#include "data_check/finding.h"
#include "data_check/image_label_stats.h"

namespace tagclip {

// A split with the statistics of its files.
struct CheckedSplit {
  std::string name;
  SplitFiles files;
  std::vector<ImageLabelStats> stats;  // one per pair
};

// Finds photos and labels without partner, unreadable files, RGB pictures for labels, differing
// sizes, photos that EXIF turns unnoticed, labels that are all void.
void find_file_mistakes(const CheckedSplit& split, std::vector<Finding>& findings);

// Finds swapped seen and unseen classes, background trained as a class, odd class lists, splits
// without anything to learn from, seen classes absent from training and unseen ones absent from
// validation. The first split is the training split, the last
// one the validation split.
void find_class_mistakes(const DatasetInfo& info, const std::vector<CheckedSplit>& splits,
                         std::vector<Finding>& findings);

// Finds classes that one data set hides and another one labels: training on the labels shows what a
// score of unseen classes says was never shown. `synonyms`: groups of words for one class.
std::vector<Finding> find_hidden_and_labelled(std::span<const DatasetInfo* const> sets,
                                              std::span<const ListedClass> synonyms);

// Finds photos that one data set trains on and another one measures on, or near duplicates of them.
// The names are those of the sets.
void find_near_duplicates_between(const std::string& name_a, const CheckedSplit& a,
                                  const std::string& name_b, const CheckedSplit& b,
                                  std::vector<Finding>& findings);

// Finds photos of one split that are also in another one, or near duplicates of one there.
void find_near_duplicates(const std::vector<CheckedSplit>& splits, std::vector<Finding>& findings);

}  // namespace tagclip
