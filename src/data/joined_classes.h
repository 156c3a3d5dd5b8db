#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset_info.h"
#include "text/class_file.h"

namespace tagclip {

// The classes of several data sets as one vocabulary. Classes that share a word are one class.
struct JoinedClasses {
  std::vector<ClassWords> words;  // in the order in which the sets name them; name, then synonyms
  std::vector<bool> seen;         // false where any of the sets hides the class
  std::vector<std::vector<int64_t>> of_set;  // per set and class of it: index in `words`

  // Per class of a set: whether it is seen, which another set may deny.
  std::vector<bool> seen_in(size_t set) const;
};

// Joins the classes of `sets`, whose words are compared as CLIP reads them. Each of `synonyms` is a
// group of words for one class; those of no class are left out. The classes of a single set without
// synonyms stay as they are. Throws Error(kBadInput) where the words make one class of two classes
// of a set, naming them.
JoinedClasses join_classes(std::span<const DatasetInfo* const> sets,
                           std::span<const ListedClass> synonyms);

// A class that one set hides from training and another one labels.
struct HiddenAndLabelled {
  size_t hiding, labelling;      // sets
  std::string hidden, labelled;  // what each of them calls the class
  bool same_word;                // otherwise published sets use both names for the same
};

// Finds the classes that are hidden in one of the sets and labelled in another, in the order of
// the sets that hide them: by a common word, or by the names that published sets use for the same,
// such as sofa and couch.
std::vector<HiddenAndLabelled> hidden_and_labelled(std::span<const DatasetInfo* const> sets,
                                                   std::span<const ListedClass> synonyms);

}  // namespace tagclip
