#include "kernels/common/bilinear.h"

#include "base/platform.h"

namespace tagclip {

BilinearTable::BilinearTable(int64_t from, int64_t to)
    : inputs(from), low(to), high(to), fraction(to) {
  const BilinearScale axis = BilinearScale::of(from, to);
  for (int64_t i = 0; i < to; ++i) {
    const BilinearSample sample = axis.sample(static_cast<int32_t>(i));
    low[i] = sample.low;
    high[i] = sample.high;
    fraction[i] = sample.fraction;
  }
}

BilinearTable BilinearTable::slice(Interval part) const {
  BilinearTable result(inputs_of(part).size(), part.size());
  for (int64_t i = 0; i < part.size(); ++i) {
    result.low[i] = low[part.begin + i] - low[part.begin];
    result.high[i] = high[part.begin + i] - low[part.begin];
    result.fraction[i] = fraction[part.begin + i];
  }
  return result;
}

TAGCLIP_MULTIVERSION
void lerp_rows(const float* __restrict a, const float* __restrict b, float fraction, int64_t n,
               float* __restrict out) {
  for (int64_t i = 0; i < n; ++i) out[i] = a[i] + fraction * (b[i] - a[i]);
}

TAGCLIP_MULTIVERSION
void resize_row(const float* __restrict row, const BilinearTable& table, Interval part,
                float* __restrict out) {
  const int32_t* __restrict low = table.low.data() + part.begin;
  const int32_t* __restrict high = table.high.data() + part.begin;
  const float* __restrict fraction = table.fraction.data() + part.begin;
  const int64_t n = part.size();
  for (int64_t i = 0; i < n; ++i) {
    out[i] = row[low[i]] + fraction[i] * (row[high[i]] - row[low[i]]);
  }
}

void add_resize_adjoint(const float* out, const BilinearTable& table, float* sum) {
  for (int64_t i = 0; i < table.outputs(); ++i) {
    const float high = table.fraction[i] * out[i];
    sum[table.low[i]] += out[i] - high;
    sum[table.high[i]] += high;
  }
}

}  // namespace tagclip
