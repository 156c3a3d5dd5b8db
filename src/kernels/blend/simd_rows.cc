#include "kernels/blend/simd_rows.h"

#include "kernels/common/fast_math.h"

namespace tagclip {
namespace {

// As the processor's own instructions: when one is NaN, b.
inline float smaller(float a, float b) { return a < b ? a : b; }
inline float larger(float a, float b) { return a > b ? a : b; }

}  // namespace

TAGCLIP_MULTIVERSION
void mix_rows(const float* __restrict a, const float* __restrict b, float fraction, int64_t n,
              float* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = a[i] + fraction * (b[i] - a[i]);
}

TAGCLIP_MULTIVERSION
void sigmoid_row(float* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = fast_sigmoid(x[i]);
}

TAGCLIP_MULTIVERSION
void resize_row(const float* __restrict row, Columns columns, float* __restrict out) {
  const int32_t* __restrict low = columns.low;
  const int32_t* __restrict high = columns.high;
  const float* __restrict fraction = columns.fraction;
  for (int64_t i = 0; i < columns.count; ++i) {
    out[i] = row[low[i]] + fraction[i] * (row[high[i]] - row[low[i]]);
  }
}

TAGCLIP_MULTIVERSION
void add_scores(PixelRow row, float presence, float deduction, const float* __restrict weight,
                float* __restrict sum) {
  const float* __restrict upper = row.upper;
  const float* __restrict lower = row.lower;
  for (int64_t i = 0; i < row.count; ++i) {
    const float logit = upper[i] + row.fraction * (lower[i] - upper[i]);
    sum[i] += (presence * fast_sigmoid(logit) - deduction) * weight[i];
  }
}

TAGCLIP_MULTIVERSION
void add_logits(PixelRow row, const float* __restrict weight, float* __restrict sum) {
  const float* __restrict upper = row.upper;
  const float* __restrict lower = row.lower;
  for (int64_t i = 0; i < row.count; ++i) {
    sum[i] += (upper[i] + row.fraction * (lower[i] - upper[i])) * weight[i];
  }
}

TAGCLIP_MULTIVERSION
void add_exponentials(const float* __restrict row, Columns columns, const float* __restrict largest,
                      float* __restrict sum) {
  const int32_t* __restrict low = columns.low;
  const int32_t* __restrict high = columns.high;
  const float* __restrict fraction = columns.fraction;
  for (int64_t i = 0; i < columns.count; ++i) {
    const float logit = row[low[i]] + fraction[i] * (row[high[i]] - row[low[i]]);
    sum[i] += fast_exp(logit - largest[i]);
  }
}

TAGCLIP_MULTIVERSION
void keep_best(const float* __restrict row, Columns columns, int32_t candidate,
               float* __restrict best, int32_t* __restrict label) {
  const int32_t* __restrict low = columns.low;
  const int32_t* __restrict high = columns.high;
  const float* __restrict fraction = columns.fraction;
  for (int64_t i = 0; i < columns.count; ++i) {
    const float score = row[low[i]] + fraction[i] * (row[high[i]] - row[low[i]]);
    const bool better = score > best[i];
    best[i] = better ? score : best[i];
    label[i] = better ? candidate : label[i];
  }
}

TAGCLIP_MULTIVERSION
void raise_floor(const float* __restrict a, const float* __restrict b, int64_t n,
                 float* __restrict floor) {
  for (int64_t i = 0; i + 1 < n; ++i) {
    const float smallest = smaller(smaller(a[i], b[i]), smaller(a[i + 1], b[i + 1]));
    floor[i] = larger(smallest, floor[i]);
  }
  floor[n - 1] = larger(smaller(a[n - 1], b[n - 1]), floor[n - 1]);
}

TAGCLIP_MULTIVERSION
bool reaches_floor(const float* __restrict a, const float* __restrict b, int64_t n, int64_t whole,
                   const float* __restrict floor) {
  int32_t any = 0;
  for (int64_t i = 0; i < whole; ++i) {
    any |= larger(larger(a[i], b[i]), larger(a[i + 1], b[i + 1])) >= floor[i];
  }
  for (int64_t i = whole; i < n; ++i) any |= larger(a[i], b[i]) >= floor[i];
  return any != 0;
}

}  // namespace tagclip
