#include "kernels/common/bilinear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

namespace tagclip {
namespace {

// The first output found by going through all of them.
int first_by_search(const BilinearScale& axis, float least) {
  int i = 0;
  while (i < axis.outputs && axis.coordinate(i) < least) ++i;
  return i;
}

TEST(BilinearScale, FindsTheFirstOutputAtACoordinate) {
  for (const int inputs : {1, 3, 32, 77}) {
    for (const int outputs : {1, 2, 31, 512, 1000}) {
      const BilinearScale axis = BilinearScale::of(inputs, outputs);
      for (int half = 0; half <= 2 * inputs; ++half) {
        const float least = 0.5f * static_cast<float>(half);
        ASSERT_EQ(axis.first_output_at(least), first_by_search(axis, least))
            << inputs << " " << outputs << " " << least;
      }
    }
  }
}

// Every output lies in exactly one half of one input, which names the inputs that it reads.
TEST(HalfSupport, CoversEveryOutputOnce) {
  for (const int inputs : {1, 2, 7, 32}) {
    for (const int outputs : {1, 3, 31, 200}) {
      const BilinearScale axis = BilinearScale::of(inputs, outputs);
      int next = 0;
      for (int j = 0; j < inputs; ++j) {
        for (const int half : {0, 1}) {
          const HalfSupport support = half_support(axis, j, half);
          ASSERT_EQ(support.begin, next);
          for (next = support.begin; next < support.end; ++next) {
            const BilinearSample sample = axis.sample(next);
            const auto weight = [&](int input) {
              return (sample.low == input) * (1 - sample.fraction) +
                     (sample.high == input) * sample.fraction;
            };
            const float fraction = support.fraction(axis, next);
            if (support.low == support.high) {
              EXPECT_NEAR(weight(support.low), 1, 1e-4);
            } else {
              EXPECT_NEAR(weight(support.low), 1 - fraction, 1e-4);
              EXPECT_NEAR(weight(support.high), fraction, 1e-4);
            }
          }
        }
      }
      EXPECT_EQ(next, outputs);
    }
  }
}

TEST(BilinearTable, ASliceReadsTheSameInputs) {
  const BilinearTable table(7, 40);
  const Interval part{11, 29}, inputs = table.inputs_of(part);
  const BilinearTable slice = table.slice(part);
  EXPECT_EQ(slice.inputs, inputs.size());
  for (int64_t i = 0; i < part.size(); ++i) {
    EXPECT_EQ(slice.low[i] + inputs.begin, table.low[part.begin + i]);
    EXPECT_EQ(slice.high[i] + inputs.begin, table.high[part.begin + i]);
    EXPECT_EQ(slice.fraction[i], table.fraction[part.begin + i]);
  }
}

// <resize x, y> = <x, adjoint y>
TEST(ResizeRow, HasItsAdjoint) {
  for (const int outputs : {1, 5, 40}) {
    const BilinearTable table(9, outputs);
    std::vector<float> x(9), y(outputs), resized(outputs), back(9);
    for (int i = 0; i < 9; ++i) x[i] = std::sin(1.0f + static_cast<float>(i));
    for (int i = 0; i < outputs; ++i) y[i] = std::cos(2.0f + static_cast<float>(i));
    resize_row(x.data(), table, {0, outputs}, resized.data());
    add_resize_adjoint(y.data(), table, back.data());
    EXPECT_NEAR(std::inner_product(resized.begin(), resized.end(), y.begin(), 0.0),
                std::inner_product(x.begin(), x.end(), back.begin(), 0.0), 1e-4);
  }
}

TEST(TwoRowCache, LoadsARowOnceWhileItsNeighbourIsAskedFor) {
  TwoRowCache<int64_t> cache(0);
  std::vector<int64_t> loaded, evicted;
  const auto load = [&](int64_t y, int64_t& row) {
    loaded.push_back(y);
    row = 10 * y;
  };
  const auto evict = [&](int64_t y, int64_t& row) {
    EXPECT_EQ(row, 10 * y);
    evicted.push_back(y);
  };
  for (const int64_t y : {0, 1, 0, 1, 1, 2}) EXPECT_EQ(cache.acquire(y, load, evict), 10 * y);
  EXPECT_EQ(loaded, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(evicted, (std::vector<int64_t>{0}));
  cache.evict_all(evict);
  EXPECT_EQ(evicted, (std::vector<int64_t>{0, 2, 1}));
}

}  // namespace
}  // namespace tagclip
