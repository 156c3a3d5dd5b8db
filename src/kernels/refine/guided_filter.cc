#include "kernels/refine/guided_filter.h"

#include "base/error.h"

namespace tagclip {

GuidedFilter::GuidedFilter(const at::Tensor& image, GuidedFilterOptions options)
    : options_(options) {
  TAGCLIP_CHECK(image.dim() == 3 && options.radius > 0 && options.epsilon > 0,
                "an image [3, H, W], a radius and an epsilon");
  grey_ = image.to(at::kFloat).mean(0) / 255;
  mean_ = box_mean(grey_);
  variance_ = (box_mean(grey_ * grey_) - mean_ * mean_).clamp_min(0);
}

// The mean over the part of the box that lies inside the map.
at::Tensor GuidedFilter::box_mean(const at::Tensor& map) const {
  const int64_t radius = options_.radius, side = 2 * radius + 1;
  const auto along = [](const at::Tensor& x, at::IntArrayRef kernel, at::IntArrayRef padding) {
    return at::avg_pool2d(x, kernel, {1, 1}, padding, /*ceil_mode=*/false,
                          /*count_include_pad=*/false);
  };
  const at::Tensor rows = along(map.view({1, 1, map.size(0), map.size(1)}), {1, side}, {0, radius});
  return along(rows, {side, 1}, {radius, 0}).view(map.sizes());
}

at::Tensor GuidedFilter::operator()(const at::Tensor& map) const {
  const at::Tensor own = map.to(at::kFloat).contiguous();
  const at::Tensor mean = box_mean(own);
  const at::Tensor slope = (box_mean(grey_ * own) - mean_ * mean) / (variance_ + options_.epsilon);
  const at::Tensor offset = mean - slope * mean_;
  return box_mean(slope) * grey_ + box_mean(offset);
}

}  // namespace tagclip
