#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tagclip {

// Boundary F (Csurka et al., BMVC 2013): how well the borders of classes are met, whatever lies
// within them. A pixel is on the border of its class where one of the four around it has another
// one. In an image, for each class that has a border in the truth or the prediction: precision, the
// share of predicted border pixels with a true one within the tolerance; recall, the converse; F,
// their harmonic mean. Its mean over the images is the class's, and the mean over the classes the
// set's.
class BoundaryScore {
 public:
  // The tolerance as a share of the image's diagonal, at least a pixel.
  static constexpr double kTolerance = 0.0075;

  explicit BoundaryScore(int classes);

  // Counts one image of this width. Pixels whose ground truth is not in [0, classes) take no part
  // and make no border. A prediction that is not in [0, classes) is a class of its own that is not
  // scored.
  void add(std::span<const uint16_t> truth, std::span<const uint16_t> prediction, int width);

  // Per class, NaN where it never has a border; and the mean of the others.
  std::vector<double> per_class() const;
  double mean() const;

  // All sums, to be added up over processes.
  std::span<double> sums() { return sums_; }

 private:
  int classes_;
  std::vector<double> sums_;  // [2, classes]: of F, and of images
};

}  // namespace tagclip
