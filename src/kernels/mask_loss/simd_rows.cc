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
    const Focal f = focal_of(sigmoid_terms(upper[i] + row.fraction * (lower[i] - upper[i])));
    sum += f.loss;
    const float slope = kAlphaBackground * f.slope, below = row.fraction * slope;
    focal_upper[i] += slope - below;
    focal_lower[i] += below;
  }
  return kAlphaBackground * sum;
}

TAGCLIP_MULTIVERSION
RowSums add_target(PixelRow row, RowLabels given, RowGradient focal, RowGradient intersection,
                   RowGradient prediction) {
  const float* __restrict upper = row.upper;
  const float* __restrict lower = row.lower;
  const int32_t* __restrict labels = given.labels;
  float* __restrict focal_upper = focal.upper;
  float* __restrict focal_lower = focal.lower;
  float* __restrict intersection_upper = intersection.upper;
  float* __restrict intersection_lower = intersection.lower;
  float* __restrict prediction_upper = prediction.upper;
  float* __restrict prediction_lower = prediction.lower;
  float focal_sum = 0, intersection_sum = 0, prediction_sum = 0;
#pragma omp simd reduction(+ : focal_sum, intersection_sum, prediction_sum)
  for (int64_t i = 0; i < row.count; ++i) {
    const PixelKind kind = labels[i] == given.target      ? PixelKind::kTarget
                           : labels[i] == given.uncounted ? PixelKind::kUncounted
                                                          : PixelKind::kBackground;
    const PixelShare share = share_of(upper[i] + row.fraction * (lower[i] - upper[i]), kind);
    focal_sum += share.focal;
    intersection_sum += share.intersection;
    prediction_sum += share.prediction;
    const float focal_below = row.fraction * share.focal_slope;
    const float intersection_below = row.fraction * share.intersection_slope;
    const float prediction_below = row.fraction * share.prediction_slope;
    focal_upper[i] += share.focal_slope - focal_below;
    focal_lower[i] += focal_below;
    intersection_upper[i] += share.intersection_slope - intersection_below;
    intersection_lower[i] += intersection_below;
    prediction_upper[i] += share.prediction_slope - prediction_below;
    prediction_lower[i] += prediction_below;
  }
  return {focal_sum, intersection_sum, prediction_sum};
}

void add_resized_back(const float* out, Columns columns, float* sum) {
  for (int64_t i = 0; i < columns.count; ++i) {
    const float high = columns.fraction[i] * out[i];
    sum[columns.low[i]] += out[i] - high;
    sum[columns.high[i]] += high;
  }
}

}  // namespace tagclip
