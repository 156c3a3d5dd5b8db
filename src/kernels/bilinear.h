#pragma once

#include <cstdint>
#include <vector>

namespace tagclip {

// Indices begin .. end - 1.
struct Interval {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

// Bilinear interpolation along one axis (align_corners false): output i is
// input[low[i]] + fraction[i] (input[high[i]] - input[low[i]]), high[i] - low[i] being 0 or 1.
struct BilinearAxis {
  BilinearAxis(int64_t from, int64_t to);

  // What outputs `part` (not empty) read.
  Interval inputs_of(Interval part) const { return {low[part.begin], high[part.end - 1] + 1}; }
  // Outputs `part` alone, inputs counted from the first they read.
  BilinearAxis slice(Interval part) const;

  std::vector<int32_t> low;
  std::vector<int32_t> high;
  std::vector<float> fraction;
};

}  // namespace tagclip
