#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tagclip {

// Pixel counts over a whole set: row = ground truth, column = prediction.
class ConfusionMatrix {
 public:
  // Throws Error(kBadInput) for more than 10,000 classes (the counts would fill the memory).
  explicit ConfusionMatrix(int classes);

  int classes() const { return classes_; }
  // Counts one image. Pixels whose ground truth is not in [0, classes) are ignored. A prediction
  // that is not in [0, classes) (unlabelled) counts as a miss of its true class and as no class's
  // prediction.
  void add(std::span<const uint16_t> truth, std::span<const uint16_t> prediction);
  // Adds the counts of another part of the set.
  void merge(const ConfusionMatrix& other);

  // All counts, row by row, to be summed over processes.
  std::span<int64_t> counts() { return counts_; }

  int64_t at(int truth, int prediction) const;
  int64_t missed(int truth) const;  // pixels of `truth` predicted as no class

 private:
  int classes_;
  std::vector<int64_t> counts_;  // [classes, classes + 1]; the last column holds the unlabelled
};

}  // namespace tagclip
