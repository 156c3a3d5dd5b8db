#pragma once

#include <cstdint>
#include <vector>

#include "image/label_map.h"

namespace tagclip {

// What the values of a label file mean. 255 (in files of 16 bits 65535, too) is void in all.
enum class LabelCoding {
  kClasses,         // the class
  kZeroBackground,  // 0 is background and becomes void, k is class k - 1: reduce_zero_label
  kCocoIds,         // COCO-Stuff's pixel maps: category id - 1, with holes where ids do not exist
};

// From the values of label files to classes.
class LabelMapping {
 public:
  static constexpr int kNoClass = -1;

  LabelMapping(LabelCoding coding, size_t classes);

  LabelCoding coding() const { return coding_; }
  // A class, kIgnore for void, or kNoClass for a value that the files of the set must not hold.
  int operator[](uint16_t value) const { return table_[value]; }
  bool allows(int value) const { return value >= 0 && value <= kIgnore && table_[value] >= 0; }
  // The largest value that is a class.
  int last_value() const { return last_; }

 private:
  LabelCoding coding_;
  std::vector<int> table_;  // by value, all 65,536
  int last_ = 0;
};

}  // namespace tagclip
