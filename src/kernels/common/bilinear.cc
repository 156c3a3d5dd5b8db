#include "kernels/common/bilinear.h"

namespace tagclip {

BilinearAxis::BilinearAxis(int64_t from, int64_t to) : low(to), high(to), fraction(to) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  for (int64_t i = 0; i < to; ++i) {
    const auto place = bilinear_place(static_cast<int32_t>(from), scale, static_cast<int32_t>(i));
    low[i] = place.low;
    high[i] = place.high;
    fraction[i] = place.fraction;
  }
}

BilinearAxis BilinearAxis::slice(Interval part) const {
  BilinearAxis result(1, part.size());
  for (int64_t i = 0; i < part.size(); ++i) {
    result.low[i] = low[part.begin + i] - low[part.begin];
    result.high[i] = high[part.begin + i] - low[part.begin];
    result.fraction[i] = fraction[part.begin + i];
  }
  return result;
}

}  // namespace tagclip
