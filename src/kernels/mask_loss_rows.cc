#include "kernels/mask_loss_rows.h"

#include <cmath>

#include "kernels/vector_math.h"

namespace tagclip {
namespace {

constexpr float kAlphaTarget = 0.25f, kAlphaBackground = 0.75f;

// The sigmoid of a logit, what it lacks to 1, and log(1 + exp(logit)).
struct Activation {
  float p, rest, softplus;
};

// Of exp(-|x|), which never overflows.
inline Activation activate(float x) {
  const float e = fast_exp(-std::fabs(x));
  const float larger = 1 / (1 + e), smaller = e * larger;
  return {.p = x > 0 ? larger : smaller,
          .rest = x > 0 ? smaller : larger,
          .softplus = (x > 0 ? x : 0) + fast_log1p(e)};
}

// Focal loss of a logit against 0, up to alpha, and its derivative. Against 1 it is the loss of
// -logit.
struct Focal {
  float loss, slope;
};

inline Focal focal_of(const Activation& a) {
  const float square = a.p * a.p;
  return {.loss = square * a.softplus, .slope = square * (a.p + 2 * a.rest * a.softplus)};
}

}  // namespace

TAGCLIP_EACH_PROCESSOR
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

TAGCLIP_EACH_PROCESSOR
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
    const bool target = labels[i] == given.target;
    const float counted = labels[i] == given.uncounted ? 0.0f : 1.0f;
    const float sign = target ? -1.0f : 1.0f;
    const Activation a = activate(sign * (upper[i] + row.fraction * (lower[i] - upper[i])));
    const Focal f = focal_of(a);
    const float alpha = target ? kAlphaTarget : kAlphaBackground;
    focal_sum += alpha * f.loss;
    const float slope = sign * alpha * f.slope;
    focal_upper[i] += slope - row.fraction * slope;
    focal_lower[i] += row.fraction * slope;

    const float p = counted * (target ? a.rest : a.p);
    area_sum += p;
    hit_sum += target ? p : 0.0f;
    const float p_slope = counted * a.p * a.rest, hit_slope = target ? p_slope : 0.0f;
    area_upper[i] += p_slope - row.fraction * p_slope;
    area_lower[i] += row.fraction * p_slope;
    hit_upper[i] += hit_slope - row.fraction * hit_slope;
    hit_lower[i] += row.fraction * hit_slope;
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
