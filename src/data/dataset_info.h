#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset_kinds.h"
#include "data/dataset_options.h"
#include "image/label_map.h"
#include "text/class_words.h"

namespace tagclip {

// The meaning of the values in a label file. 255 is void in all, in files of 16 bits 65535, too.
enum class LabelCoding {
  kClasses,         // k is class k
  kZeroBackground,  // 0 is background and becomes void, k is class k - 1: reduce_zero_label
  kCocoIds,         // COCO-Stuff's pixel maps: category id - 1, with holes where ids do not exist
};

// Maps the values of label files to classes.
class LabelMapping {
 public:
  static constexpr int kNoClass = -1;

  LabelMapping(LabelCoding coding, size_t classes);

  LabelCoding coding() const { return coding_; }
  // A class, kIgnoreIndex for void, or kNoClass for a value that the set's files must not hold.
  int operator[](uint16_t value) const { return table_[value]; }
  bool allows(int value) const { return value >= 0 && value <= kIgnoreIndex && table_[value] >= 0; }
  // The largest value that is a class.
  int last_value() const { return last_; }

 private:
  LabelCoding coding_;
  std::vector<int> table_;  // by value, all 65,536
  int last_ = 0;
};

// A data set without a split: its kind and its classes.
struct DatasetInfo {
  std::filesystem::path folder;
  const DatasetKind* kind = nullptr;
  bool reduce_zero_label = false;
  std::vector<std::string> classes;    // their names
  std::vector<ClassWords> words;       // per class: its name, then synonyms
  std::vector<bool> seen;              // per class
  std::vector<LabelMapping> mappings;  // one per entry of kind->labels
  ImageLimits limits;                  // of photos and label files

  bool begins_with_background() const { return !classes.empty() && classes[0] == "background"; }
};

// Reads the lists of a data set. Throws Error: kBadInput for a folder that is no such set, a list
// that cannot be read, a classes.txt of the wrong length or whose numbers are no label values, two
// classes that are the same to CLIP, an unseen name that is no class (with the nearest one); kUsage
// for options that do not fit the kind.
DatasetInfo read_dataset_info(const DatasetOptions& options);

}  // namespace tagclip
