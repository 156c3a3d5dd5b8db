#include "gpu/recorded_function.h"

#include <gtest/gtest.h>

#include "gpu/test_gpu.h"

namespace tagclip {
namespace {

using Tensors = RecordedFunction::Tensors;

Tensors sum_and_nothing(const Tensors& inputs) { return {inputs[0] + inputs[1], at::Tensor()}; }

// More calls than it takes to record, of two shapes by turns.
void expect_sums(at::Device device) {
  RecordedFunction recorded(device);
  for (int i = 0; i < 8; ++i) {
    const at::Tensor a = at::full({1 + i % 2, 3}, i, at::device(device).dtype(at::kFloat));
    const Tensors outputs = recorded({a, a}, {}, sum_and_nothing);
    EXPECT_TRUE(outputs[0].equal(a + a)) << i;
    EXPECT_FALSE(outputs[1].defined());
  }
}

TEST(RecordedFunction, ComputesTheFunction) { expect_sums(at::kCPU); }

TEST(RecordedFunction, ResultsOutliveTheNextCall) {
  RecordedFunction recorded(at::kCPU);
  const at::Tensor one = at::ones({2}), two = at::full({2}, 2.0f);
  const auto same = [](const Tensors& inputs) { return inputs; };
  const Tensors first = recorded({one}, {}, same);
  recorded({two}, {}, same);
  EXPECT_TRUE(first[0].equal(one));
}

TEST(RecordedFunction, TellsApartWhatShapesDoNot) {
  RecordedFunction recorded(at::kCPU);
  const at::Tensor x = at::arange(6, at::kFloat);
  for (const int64_t rows : {2, 3, 2}) {
    const auto reshaped = [&](const Tensors& inputs) {
      return Tensors{inputs[0].view({rows, -1})};
    };
    EXPECT_EQ(recorded({x}, {rows}, reshaped)[0].size(0), rows);
  }
}

TEST(RecordedFunction, ComputesAnyNumberOfShapes) {
  RecordedFunction recorded(at::kCPU);
  for (int64_t n = 1; n <= 2 * int64_t{RecordedFunction::kMostRecordings}; ++n) {
    const at::Tensor x = at::ones({n});
    EXPECT_TRUE(recorded({x, x}, {}, sum_and_nothing)[0].equal(x + x)) << n;
  }
}

class GpuRecordedFunction : public GpuTest {};

TEST_F(GpuRecordedFunction, ComputesTheFunction) { expect_sums(at::kCUDA); }

}  // namespace
}  // namespace tagclip
