#include "kernels/mask_loss/simd_rows.h"

#include "kernels/mask_loss/pixel.h"

namespace tagclip {

TAGCLIP_MULTIVERSION
float add_background(PixelRow row, RowGradient focal) {
  const float* __restrict upper = row.upper;
  const float* __restrict lower = row.lower;
  float* __restrict focal_upper = focal.upper;
  float* __restrict focal_lower = focal.lower;
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < row.count; ++i) {
    const Focal f = focal_of(activate(upper[i] + row.fraction * (lower[i] - upper[i])));
    sum += f.loss;
    const float slope = kAlphaBackground * f.slope, below = row.fraction * slope;
    focal_upper[i] += slope - below;
    focal_lower[i] += below;
  }
  return kAlphaBackground * sum;
}

TAGCLIP_MULTIVERSION
RowSums add_target(PixelRow row, RowLabels given, RowGradient focal, RowGradient hit,
                   RowGradient area) {
  const float* __restrict upper = row.upper;
  const float* __restrict lower = row.lower;
  const int32_t* __restrict labels = given.labels;
  float* __restrict focal_upper = focal.upper;
  float* __restrict focal_lower = focal.lower;
  float* __restrict hit_upper = hit.upper;
  float* __restrict hit_lower = hit.lower;
  float* __restrict area_upper = area.upper;
  float* __restrict area_lower = area.lower;
  float focal_sum = 0, hit_sum = 0, area_sum = 0;
#pragma omp simd reduction(+ : focal_sum, hit_sum, area_sum)
  for (int64_t i = 0; i < row.count; ++i) {
    const PixelKind kind = labels[i] == given.target      ? PixelKind::kTarget
                           : labels[i] == given.uncounted ? PixelKind::kUncounted
                                                          : PixelKind::kBackground;
    const PixelShare share = share_of(upper[i] + row.fraction * (lower[i] - upper[i]), kind);
    focal_sum += share.focal;
    hit_sum += share.hit;
    area_sum += share.area;
    const float focal_below = row.fraction * share.focal_slope;
    const float hit_below = row.fraction * share.hit_slope;
    const float area_below = row.fraction * share.area_slope;
    focal_upper[i] += share.focal_slope - focal_below;
    focal_lower[i] += focal_below;
    hit_upper[i] += share.hit_slope - hit_below;
    hit_lower[i] += hit_below;
    area_upper[i] += share.area_slope - area_below;
    area_lower[i] += area_below;
  }
  return {focal_sum, hit_sum, area_sum};
}

void add_resized_back(const float* out, Columns columns, float* sum) {
  for (int64_t i = 0; i < columns.count; ++i) {
    const float high = columns.fraction[i] * out[i];
    sum[columns.low[i]] += out[i] - high;
    sum[columns.high[i]] += high;
  }
}

}  // namespace tagclip
