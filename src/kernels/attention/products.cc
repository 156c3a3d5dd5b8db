#include "kernels/attention/products.h"

#include "base/platform.h"
#include "kernels/common/fast_math.h"

namespace tagclip {
namespace {

// The processor's max instruction: b when one of them is NaN.
inline float larger(float a, float b) { return a > b ? a : b; }

inline float row_max(const float* __restrict x, int64_t n) {
  // Several independent maxima, so that comparisons do not wait for each other.
  constexpr int64_t kLanes = 64;
  float lanes[kLanes];
  for (int64_t j = 0; j < kLanes; ++j) lanes[j] = x[0];
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[j] = larger(x[i + j], lanes[j]);
  }
  for (; i < n; ++i) lanes[0] = larger(x[i], lanes[0]);
  float largest = lanes[0];
  for (int64_t j = 1; j < kLanes; ++j) largest = larger(lanes[j], largest);
  return largest;
}

template <typename Power>
[[gnu::always_inline]] inline float softmax_with(float* __restrict scores, int64_t n, float scale,
                                                 const Power& power_of_two) {
  const float factor = scale * kLog2E, shift = factor * row_max(scores, n);
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) {
    scores[i] = power_of_two(factor * scores[i] - shift);
    sum += scores[i];
  }
  return 1 / sum;
}

}  // namespace

TAGCLIP_MULTIVERSION
float softmax_row(float* scores, int64_t n, float scale) {
  return softmax_with(scores, n, scale, fast_exp2);
}

TAGCLIP_MULTIVERSION
float rough_softmax_row(float* scores, int64_t n, float scale) {
  return softmax_with(scores, n, scale, rough_exp2);
}

TAGCLIP_MULTIVERSION
void interleave(const uint16_t* __restrict a, const uint16_t* __restrict b, int64_t n,
                uint16_t* __restrict out) {
  for (int64_t i = 0; i < n; ++i) {
    out[2 * i] = a[i];
    out[2 * i + 1] = b[i];
  }
}

void put_column(const uint32_t* __restrict x, int64_t n, int64_t stride,
                uint32_t* __restrict columns) {
  for (int64_t i = 0; i < n; ++i) columns[i * stride] = x[i];
}

}  // namespace tagclip
