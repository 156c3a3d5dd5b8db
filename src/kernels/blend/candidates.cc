#include "kernels/blend/candidates.h"

#include <algorithm>
#include <limits>

#include "kernels/blend/simd_rows.h"

namespace tagclip {

Candidates::Candidates(int64_t classes, int64_t columns, std::vector<Interval> blocks)
    : classes_(classes),
      columns_(columns),
      blocks_(std::move(blocks)),
      floor_(columns),
      lists_(blocks_.size()) {}

void Candidates::find(const float* upper, const float* lower) {
  std::ranges::fill(floor_, -std::numeric_limits<float>::infinity());
  for (int64_t c = 0; c < classes_; ++c) {
    raise_floor(upper + c * columns_, lower + c * columns_, columns_, floor_.data());
  }
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const auto [begin, end] = blocks_[i];
    // The last column has no right neighbour; its cell ends at itself.
    const int64_t neighbours = std::min(end - begin, columns_ - 1 - begin);
    lists_[i].clear();
    for (int64_t c = 0; c < classes_; ++c) {
      const int64_t at = c * columns_ + begin;
      if (reaches_floor(upper + at, lower + at, end - begin, neighbours, floor_.data() + begin)) {
        lists_[i].push_back(static_cast<int32_t>(c));
      }
    }
  }
}

}  // namespace tagclip
