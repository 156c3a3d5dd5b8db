#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/common/bilinear.h"

namespace tagclip {

// Finds the classes that can be the best one between two rows of scores. Interpolation inside a
// cell of 2 x 2 scores stays within their range, so a class whose largest corner is below the
// smallest corner of another class cannot win in that cell. A block of 64 pixels of a photo keeps a
// few of hundreds of classes.
class Candidates {
 public:
  // `blocks`: the ranges of cells that get one list each; cell i lies between columns i and i + 1.
  Candidates(int64_t classes, int64_t columns, std::vector<Interval> blocks);

  // Computes the lists between `upper` and `lower`, [C, columns] each.
  void find(const float* upper, const float* lower);

  // The candidates of a block in ascending order. Empty when all scores are NaN.
  std::span<const int32_t> of(size_t block) const { return lists_[block]; }

 private:
  int64_t classes_, columns_;
  std::vector<Interval> blocks_;
  std::vector<float> floor_;  // [columns]: per cell the largest, over the classes, smallest corner
  std::vector<std::vector<int32_t>> lists_;
};

}  // namespace tagclip
