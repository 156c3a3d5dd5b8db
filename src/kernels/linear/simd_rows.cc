#include "kernels/linear/simd_rows.h"

#include <cmath>

#include "base/platform.h"
#include "kernels/common/bfloat16.h"
#include "kernels/common/fast_math.h"

namespace tagclip {

TAGCLIP_MULTIVERSION
void norm_row(const float* __restrict x, const float* __restrict weight,
              const float* __restrict bias, float epsilon, int64_t n, float* __restrict out) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += x[i];
  const float mean = sum / static_cast<float>(n);
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (int64_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  const float scale = 1 / std::sqrt(squares / static_cast<float>(n) + epsilon);
  for (int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * scale * weight[i] + bias[i];
}

TAGCLIP_MULTIVERSION
void narrow_row(const float* __restrict x, int64_t n, uint16_t* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = to_bfloat16(x[i]);
}

TAGCLIP_MULTIVERSION
void widen_row(const uint16_t* __restrict x, int64_t n, float* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = from_bfloat16(x[i]);
}

TAGCLIP_MULTIVERSION
void quick_gelu_row(const float* __restrict x, int64_t n, float* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = quick_gelu_of(x[i]);
}

TAGCLIP_MULTIVERSION
void quick_gelu_row(const uint16_t* __restrict x, int64_t n, uint16_t* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = to_bfloat16(quick_gelu_of(from_bfloat16(x[i])));
}

TAGCLIP_MULTIVERSION
void quick_gelu_gradient_row(const float* __restrict x, const float* __restrict gradient, int64_t n,
                             float* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = gradient[i] * quick_gelu_slope(x[i]);
}

TAGCLIP_MULTIVERSION
void quick_gelu_gradient_row(const uint16_t* __restrict x, const uint16_t* __restrict gradient,
                             int64_t n, uint16_t* __restrict out) {
  for (int64_t i = 0; i < n; ++i) {
    out[i] = to_bfloat16(from_bfloat16(gradient[i]) * quick_gelu_slope(from_bfloat16(x[i])));
  }
}

TAGCLIP_MULTIVERSION
void scaled_row(const float* __restrict x, float factor, int64_t n, float* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = factor * x[i];
}

TAGCLIP_MULTIVERSION
void scaled_row(const float* __restrict x, float factor, int64_t n, uint16_t* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = to_bfloat16(factor * x[i]);
}

TAGCLIP_MULTIVERSION
void split_row(const float* __restrict x, int64_t n, uint16_t* __restrict high,
               uint16_t* __restrict low) {
  // In two loops, which become better vector instructions than one.
  for (int64_t i = 0; i < n; ++i) high[i] = to_bfloat16(x[i]);
  for (int64_t i = 0; i < n; ++i) low[i] = to_bfloat16(x[i] - from_bfloat16(high[i]));
}

TAGCLIP_MULTIVERSION
float quantise_row(const float* __restrict x, int64_t n, int8_t* __restrict out) {
  float largest = 0;
#pragma omp simd reduction(max : largest)
  for (int64_t i = 0; i < n; ++i) {
    const float size = std::fabs(x[i]);
    largest = size > largest ? size : largest;
  }
  constexpr float kRounder = 0x1.8p23f;  // adding it rounds to the nearest integer
  const float factor = largest > 0 ? 127 / largest : 0;
  for (int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<int8_t>(static_cast<int32_t>((x[i] * factor + kRounder) - kRounder));
  }
  return largest / 127;
}

}  // namespace tagclip
