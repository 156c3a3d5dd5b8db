#pragma once

#include <cstdint>
#include <vector>

namespace tagclip {

// Bilinear interpolation along one axis (align_corners false): output i is
// input[low[i]] + fraction[i] (input[high[i]] - input[low[i]]), high[i] - low[i] being 0 or 1.
struct BilinearAxis {
  BilinearAxis(int64_t from, int64_t to);

  std::vector<int32_t> low;
  std::vector<int32_t> high;
  std::vector<float> fraction;
};

}  // namespace tagclip
