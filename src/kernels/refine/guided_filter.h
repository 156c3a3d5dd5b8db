#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace tagclip {

// Returns the mean over the part of each pixel's box, of that radius, that lies inside the map [H,
// W] of float32. Takes the same time for every radius.
at::Tensor box_mean(const at::Tensor& map, int64_t radius);

struct GuidedFilterOptions {
  int radius = 8;         // of the box, pixels
  double epsilon = 1e-3;  // of the variance of grey values between 0 and 1
};

// Applies the guided filter (He, Sun and Tang, ECCV 2010): in each box the map is a linear function
// of the image's grey values.
class GuidedFilter {
 public:
  // `image` is [3, H, W] of 8-bit values.
  GuidedFilter(const at::Tensor& image, GuidedFilterOptions options);

  // Returns the filtered map [H, W].
  at::Tensor operator()(const at::Tensor& map) const;

  static int64_t reach(const GuidedFilterOptions& options) { return 2 * options.radius; }

 private:
  GuidedFilterOptions options_;
  at::Tensor grey_, mean_, variance_;  // [H, W]
};

}  // namespace tagclip
