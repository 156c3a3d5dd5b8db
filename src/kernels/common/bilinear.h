#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/common/device.h"

namespace tagclip {

// Bilinear interpolation along one axis as LibTorch does it with align_corners = false.

// Indices begin .. end - 1.
struct Interval {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

// One interpolated output: input[low] + fraction (input[high] - input[low]); high - low is 0 or 1.
struct BilinearSample {
  int32_t low, high;
  float fraction;
};

// The map from `inputs` to `outputs` positions; runs on the CPU and the GPU.
struct BilinearScale {
  int32_t inputs, outputs;
  float scale;  // inputs / outputs in float32, as in LibTorch: on long axes its rounding is visible

  static BilinearScale of(int64_t inputs, int64_t outputs) {
    return {static_cast<int32_t>(inputs), static_cast<int32_t>(outputs),
            static_cast<float>(inputs) / static_cast<float>(outputs)};
  }

  // The two inputs that output i reads, and their weights.
  TAGCLIP_HOST_DEVICE BilinearSample sample(int32_t i) const {
    const float exact = scale * (static_cast<float>(i) + 0.5f) - 0.5f;
    const float position = exact > 0 ? exact : 0;
    const auto whole = static_cast<int32_t>(position);
    const int32_t low = whole < inputs ? whole : inputs - 1;
    const float fraction = position - static_cast<float>(low);
    return {low, low + 1 < inputs ? low + 1 : low, fraction < 1 ? fraction : 1.0f};
  }

  // The centre of output i in coordinates in which input j covers j .. j + 1.
  TAGCLIP_HOST_DEVICE float coordinate(int32_t i) const {
    return scale * (static_cast<float>(i) + 0.5f);
  }

  // The first output whose coordinate is not below `least`; `outputs` when there is none.
  TAGCLIP_HOST_DEVICE int32_t first_output_at(float least) const {
    const float guess = least / scale - 0.5f;
    int32_t i = guess > 0 ? static_cast<int32_t>(guess) : 0;
    i = i < outputs ? i : outputs;
    while (i > 0 && coordinate(i - 1) >= least) --i;
    while (i < outputs && coordinate(i) < least) ++i;
    return i;
  }
};

// Half of the support of one input: the outputs whose centres lie in the first or second half of
// input j .. j + 1. They all interpolate between the same two inputs. The adjoint of the
// interpolation gathers gradients over such halves.
struct HalfSupport {
  int32_t begin, end;  // outputs
  int32_t low, high;   // inputs; equal beyond the first and the last one
  float origin;        // coordinate of the centre of `low`, also where that is before the first

  // The weight of `high` in output i.
  TAGCLIP_HOST_DEVICE float fraction(const BilinearScale& axis, int32_t i) const {
    return axis.coordinate(i) - origin;
  }
};

// half 0: between inputs j - 1 and j; half 1: between j and j + 1.
TAGCLIP_HOST_DEVICE inline HalfSupport half_support(const BilinearScale& axis, int32_t j,
                                                    int half) {
  const auto start = static_cast<float>(j);
  const int32_t middle = axis.first_output_at(start + 0.5f);
  if (half == 0) {
    const int32_t low = j > 0 ? j - 1 : 0;
    return {axis.first_output_at(start), middle, low, j, start - 0.5f};
  }
  const bool last = j + 1 == axis.inputs;
  return {middle, last ? axis.outputs : axis.first_output_at(start + 1), j, last ? j : j + 1,
          start + 0.5f};
}

// The samples of all outputs, tabulated for loops on the CPU.
struct BilinearTable {
  BilinearTable(int64_t inputs, int64_t outputs);

  int64_t outputs() const { return static_cast<int64_t>(low.size()); }
  // The inputs that outputs `part` (not empty) read.
  Interval inputs_of(Interval part) const { return {low[part.begin], high[part.end - 1] + 1}; }
  // The table of outputs `part` alone, its inputs counted from the first one they read.
  BilinearTable slice(Interval part) const;

  int64_t inputs;
  std::vector<int32_t> low;
  std::vector<int32_t> high;
  std::vector<float> fraction;
};

// Loops over one row. Ranges do not overlap. `part`: the outputs of the table to compute.

// out[i] = a[i] + fraction (b[i] - a[i])
void lerp_rows(const float* a, const float* b, float fraction, int64_t n, float* out);

// out[i] = output part.begin + i of `row`
void resize_row(const float* row, const BilinearTable& table, Interval part, float* out);

// The adjoint of resize_row: adds to `sum` what each output passes back to its two inputs.
void add_resize_adjoint(const float* out, const BilinearTable& table, float* sum);

// Two neighbouring rows out of many, computed when they are first asked for. Row y is kept in slot
// y % 2, so that the two neighbours of an interpolation never evict each other.
template <typename Row>
class TwoRowCache {
 public:
  explicit TwoRowCache(const Row& empty) : slots_{Slot{-1, empty}, Slot{-1, empty}} {}

  // Row y, after load(y, row) where it is not in its slot. evict(y, row) sees the row that leaves.
  template <typename Load, typename Evict>
  Row& acquire(int64_t y, const Load& load, const Evict& evict) {
    Slot& slot = slots_[y % 2];
    if (slot.y == y) return slot.row;
    if (slot.y >= 0) evict(slot.y, slot.row);
    slot.y = y;
    load(y, slot.row);
    return slot.row;
  }
  template <typename Load>
  Row& acquire(int64_t y, const Load& load) {
    return acquire(y, load, [](int64_t, Row&) {});
  }

  template <typename Evict>
  void evict_all(const Evict& evict) {
    for (Slot& slot : slots_) {
      if (slot.y >= 0) evict(slot.y, slot.row);
      slot.y = -1;
    }
  }

 private:
  struct Slot {
    int64_t y;
    Row row;
  };
  std::array<Slot, 2> slots_;
};

}  // namespace tagclip
