#include "kernels/common/bfloat16.h"

#include "base/platform.h"

namespace tagclip {

TAGCLIP_MULTIVERSION
void to_bfloat16_row(const float* __restrict x, int64_t n, uint16_t* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = to_bfloat16(x[i]);
}

TAGCLIP_MULTIVERSION
void from_bfloat16_row(const uint16_t* __restrict x, int64_t n, float* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = from_bfloat16(x[i]);
}

TAGCLIP_MULTIVERSION
void split_bfloat16_row(const float* __restrict x, int64_t n, uint16_t* __restrict high,
                        uint16_t* __restrict low) {
  // g++ 12 vectorises two loops better than one.
  for (int64_t i = 0; i < n; ++i) high[i] = to_bfloat16(x[i]);
  for (int64_t i = 0; i < n; ++i) low[i] = to_bfloat16(x[i] - from_bfloat16(high[i]));
}

TAGCLIP_MULTIVERSION
void scale_row(const float* __restrict x, float factor, int64_t n, float* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = factor * x[i];
}

TAGCLIP_MULTIVERSION
void scale_row(const float* __restrict x, float factor, int64_t n, uint16_t* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = to_bfloat16(factor * x[i]);
}

}  // namespace tagclip
