#include "kernels/refine/guided_filter.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "kernels/common/bilinear.h"

namespace tagclip {

namespace {

// out[x] = mean of in[x - radius .. x + radius], as far as it exists.
void mean_along_row(const float* in, float* out, int64_t width, int64_t radius) {
  double sum = 0;
  for (int64_t x = 0; x < std::min(radius, width); ++x) sum += in[x];
  for (int64_t x = 0; x < width; ++x) {
    if (x + radius < width) sum += in[x + radius];
    if (x > radius) sum -= in[x - radius - 1];
    const int64_t count = std::min(x + radius, width - 1) - std::max<int64_t>(x - radius, 0) + 1;
    out[x] = static_cast<float>(sum / static_cast<double>(count));
  }
}

// The same down the columns begin .. end - 1 of [height, width]; sums: [end - begin].
void mean_down_columns(const float* in, float* out, int64_t height, int64_t width, Interval columns,
                       int64_t radius) {
  std::vector<double> sums(columns.size());
  const auto add = [&](int64_t y, double sign) {
    const float* row = in + y * width + columns.begin;
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += sign * row[i];
  };
  for (int64_t y = 0; y < std::min(radius, height); ++y) add(y, 1);
  for (int64_t y = 0; y < height; ++y) {
    if (y + radius < height) add(y + radius, 1);
    if (y > radius) add(y - radius - 1, -1);
    const int64_t count = std::min(y + radius, height - 1) - std::max<int64_t>(y - radius, 0) + 1;
    const double share = 1 / static_cast<double>(count);
    float* row = out + y * width + columns.begin;
    for (size_t i = 0; i < sums.size(); ++i) row[i] = static_cast<float>(sums[i] * share);
  }
}

}  // namespace

at::Tensor box_mean(const at::Tensor& map, int64_t radius) {
  TAGCLIP_CHECK(map.dim() == 2 && map.scalar_type() == at::kFloat && radius > 0, "a map [H, W]");
  constexpr int64_t kColumns = 256;  // of a task: some cache lines of each row
  const at::Tensor in = map.contiguous();
  const int64_t height = in.size(0), width = in.size(1);
  at::Tensor rows = at::empty_like(in), out = at::empty_like(in);
  const auto* from = in.const_data_ptr<float>();
  auto* between = rows.mutable_data_ptr<float>();
  auto* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, height, 64, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      mean_along_row(from + y * width, between + y * width, width, radius);
    }
  });
  at::parallel_for(0, (width + kColumns - 1) / kColumns, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      mean_down_columns(between, to, height, width,
                        {i * kColumns, std::min((i + 1) * kColumns, width)}, radius);
    }
  });
  return out;
}

GuidedFilter::GuidedFilter(const at::Tensor& image, GuidedFilterOptions options)
    : options_(options) {
  TAGCLIP_CHECK(image.dim() == 3 && options.radius > 0 && options.epsilon > 0,
                "an image [3, H, W], a radius and an epsilon");
  grey_ = image.to(at::kFloat).mean(0) / 255;
  mean_ = box_mean(grey_, options.radius);
  variance_ = (box_mean(grey_ * grey_, options.radius) - mean_ * mean_).clamp_min(0);
}

at::Tensor GuidedFilter::operator()(const at::Tensor& map) const {
  const at::Tensor own = map.to(at::kFloat).contiguous();
  const at::Tensor mean = box_mean(own, options_.radius);
  const at::Tensor slope =
      (box_mean(grey_ * own, options_.radius) - mean_ * mean) / (variance_ + options_.epsilon);
  const at::Tensor offset = mean - slope * mean_;
  return box_mean(slope, options_.radius) * grey_ + box_mean(offset, options_.radius);
}

}  // namespace tagclip
