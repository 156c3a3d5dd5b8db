#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/joined_classes.h"

namespace tagclip {

// A data set among others that are trained on together.
struct LabelSetOptions {
  std::string name;  // in messages and logs, such as its folder's
  DatasetOptions data;
  std::optional<double> share;  // of the training steps; nothing: see LabelSets
};

// Data sets that are trained on together. The labels of each are of its own classes; those of all
// are one vocabulary.
class LabelSets {
 public:
  struct Entry {
    std::string name;
    Dataset data;
    double share = 1;        // of the training steps; those of all sets sum to 1
    std::vector<bool> seen;  // per class of the set: false where any of the sets hides it
  };

  // Reads the lists of `split`. A set without a share of its own gets one in proportion to the
  // square root of its photos, of what the others leave. Each of `synonyms` is a group of words for
  // one class; `unseen`, where it is not empty, names more classes to hide (see seen_classes).
  // `missing` is Dataset's. Throws as Dataset, join_classes and seen_classes, Error(kUsage) for
  // shares of 1 and more that leave other sets nothing.
  LabelSets(const std::vector<LabelSetOptions>& sets, const std::string& split,
            const std::vector<ListedClass>& synonyms = {}, const std::string& unseen = {},
            MissingFiles missing = MissingFiles::kRefused);

  size_t size() const { return entries_.size(); }
  bool single() const { return size() == 1; }
  const Entry& operator[](size_t set) const { return entries_[set]; }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

  // The classes of all sets; of a single set they are its own.
  const JoinedClasses& classes() const { return classes_; }
  std::vector<std::string> class_names() const;
  size_t photos() const;
  std::vector<const DatasetInfo*> infos() const;
  // A photo's name, behind the set's where there are several: "rooms/0001".
  std::string photo_name(size_t set, size_t photo) const;

 private:
  std::vector<Entry> entries_;
  JoinedClasses classes_;
};

// The shares of sets of these numbers of photos, summing to 1; see LabelSets. Where all are given,
// their ratios count.
std::vector<double> shares_of(const std::vector<LabelSetOptions>& sets,
                              const std::vector<size_t>& photos);

// Short names of folders: the last part of each path, with as many parts before it as tell it from
// the others. Throws Error(kUsage) for a folder that comes twice.
std::vector<std::string> names_of_folders(const std::vector<std::string>& folders);

}  // namespace tagclip
