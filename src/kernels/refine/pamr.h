#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace tagclip {

struct PamrOptions {
  int steps = 10;
  std::vector<int> dilations = {8, 16};  // pixels
};

// Applies pixel-adaptive mask refinement (Araslanov and Roth, CVPR 2020, section 4): each pixel of
// a map repeatedly becomes a weighted mean of eight pixels around it per dilation, those of like
// colour weighing most. A pixel outside the image is the nearest one of its border.
class Pamr {
 public:
  // `image` is [3, H, W] of 8-bit values: equal pixels must be exactly equal, otherwise rounding
  // decides in flat areas. Holds 8 maps [H, W] per dilation.
  Pamr(const at::Tensor& image, PamrOptions options);

  // Returns the map [H, W] after the steps.
  at::Tensor operator()(const at::Tensor& map) const;

  // Returns the weights [8 dilations, H, W], which sum to 1 per pixel.
  const at::Tensor& affinity() const { return affinity_; }
  // Returns how far from a pixel another one can matter, pixels.
  static int64_t reach(const PamrOptions& options);

 private:
  PamrOptions options_;
  at::Tensor affinity_;
};

}  // namespace tagclip
