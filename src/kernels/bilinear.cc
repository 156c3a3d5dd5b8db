#include "kernels/bilinear.h"

#include <algorithm>

namespace tagclip {

BilinearAxis::BilinearAxis(int64_t from, int64_t to) : low(to), high(to), fraction(to) {
  // In float32, as LibTorch: along a long axis the rounding is visible.
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  for (int64_t i = 0; i < to; ++i) {
    const float position = std::max(scale * (static_cast<float>(i) + 0.5f) - 0.5f, 0.0f);
    const int64_t left = std::min(static_cast<int64_t>(position), from - 1);
    low[i] = static_cast<int32_t>(left);
    high[i] = static_cast<int32_t>(std::min(left + 1, from - 1));
    fraction[i] = std::min(position - static_cast<float>(left), 1.0f);
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
