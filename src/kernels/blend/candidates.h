#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/common/bilinear.h"

namespace tagclip {

// The classes that can be the best between two rows of scores. Inside a cell of four scores no
// interpolated score leaves their range, so a class whose largest is below another's smallest never
// wins there. In real photos that leaves a few of hundreds.
class Candidates {
 public:
  // `blocks`: ranges of cells that get a list each; cell i lies between columns i and i + 1.
  Candidates(int64_t classes, int64_t columns, std::vector<Interval> blocks);

  // upper, lower [C, columns].
  void find(const float* upper, const float* lower);

  // In ascending order. Empty where no class has a number.
  std::span<const int32_t> of(size_t block) const { return lists_[block]; }

 private:
  int64_t classes_, columns_;
  std::vector<Interval> blocks_;
  std::vector<float> floor_;  // [columns] by cell: the largest of the classes' smallest corners
  std::vector<std::vector<int32_t>> lists_;
};

}  // namespace tagclip
