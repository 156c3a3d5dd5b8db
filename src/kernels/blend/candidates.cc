#include "kernels/blend/candidates.h"

#include <algorithm>
#include <limits>

#include "base/platform.h"

namespace tagclip {
namespace {

// The processor's min and max instructions: b when one of them is NaN.
inline float smaller(float a, float b) { return a < b ? a : b; }
inline float larger(float a, float b) { return a > b ? a : b; }

// floor[i] = max(floor[i], smallest corner of cell i). The corners of cell i are a[i], b[i],
// a[i + 1] and b[i + 1]; the last of the n cells has only two.
TAGCLIP_MULTIVERSION
void raise_floor(const float* __restrict a, const float* __restrict b, int64_t n,
                 float* __restrict floor) {
  for (int64_t i = 0; i + 1 < n; ++i) {
    const float smallest = smaller(smaller(a[i], b[i]), smaller(a[i + 1], b[i + 1]));
    floor[i] = larger(smallest, floor[i]);
  }
  floor[n - 1] = larger(smaller(a[n - 1], b[n - 1]), floor[n - 1]);
}

// True if the largest corner of any of n cells reaches its floor. The first `whole` cells have four
// corners, the others two.
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

}  // namespace

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
    const int64_t whole =
        std::min(end - begin, columns_ - 1 - begin);  // the last column has no right neighbour
    lists_[i].clear();
    for (int64_t c = 0; c < classes_; ++c) {
      const int64_t at = c * columns_ + begin;
      if (reaches_floor(upper + at, lower + at, end - begin, whole, floor_.data() + begin)) {
        lists_[i].push_back(static_cast<int32_t>(c));
      }
    }
  }
}

}  // namespace tagclip
