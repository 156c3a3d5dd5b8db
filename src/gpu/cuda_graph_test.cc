#include "gpu/cuda_graph.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "gpu/test_gpu.h"

namespace tagclip {
namespace {

TEST(CudaGraph, RunsTheWorkEveryTimeOnTheCpu) {
  CudaGraph on_cpu(at::kCPU), never;
  for (CudaGraph* graph : {&on_cpu, &never}) {
    int done = 0;
    for (int i = 0; i < 5; ++i) (*graph)([&] { ++done; });
    EXPECT_EQ(done, 5);
    EXPECT_FALSE(graph->captured());
  }
}

TEST(CudaGraph, PassesExceptionsOn) {
  CudaGraph graph(at::kCPU);
  EXPECT_THROW(graph([] { throw std::runtime_error("no"); }), std::runtime_error);
}

class GpuCudaGraph : public GpuTest {};

TEST_F(GpuCudaGraph, ReadsItsInputsAtEveryReplay) {
  CudaGraph graph(at::kCUDA);
  const at::Tensor input = at::zeros({4}, at::device(at::kCUDA).dtype(at::kFloat));
  at::Tensor doubled;
  for (int i = 0; i < 6; ++i) {
    input.fill_(i);
    graph([&] { doubled = input * 2; });
    EXPECT_EQ(doubled.sum().item<float>(), 8 * i);
  }
}

// Random numbers depend only on the seed set before the call, whether it is run or replayed.
TEST_F(GpuCudaGraph, DrawsAsSeeded) {
  at::Generator generator = at::globalContext().defaultGenerator(at::Device(at::kCUDA, 0)).clone();
  CudaGraph graph(at::Device(at::kCUDA, 0), {generator});
  const auto draw = [&] {
    return at::rand({1000}, generator, at::device(at::kCUDA).dtype(at::kFloat));
  };
  at::Tensor drawn;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    generator.set_current_seed(seed);
    const at::Tensor expected = draw();
    generator.set_current_seed(seed);
    graph([&] { drawn = draw(); });
    EXPECT_TRUE(drawn.equal(expected)) << seed;
  }
}

using Tensors = CudaGraphCache::Tensors;

Tensors sum_and_nothing(const Tensors& inputs) { return {inputs[0] + inputs[1], at::Tensor()}; }

// Calls with two shapes alternate, and are more than it takes to capture both.
void expect_sums(at::Device device) {
  CudaGraphCache graph(device);
  for (int i = 0; i < 8; ++i) {
    const at::Tensor a = at::full({1 + i % 2, 3}, i, at::device(device).dtype(at::kFloat));
    const Tensors outputs = graph({a, a}, {}, sum_and_nothing);
    EXPECT_TRUE(outputs[0].equal(a + a)) << i;
    EXPECT_FALSE(outputs[1].defined());
  }
}

TEST(CudaGraphCache, ComputesTheFunction) { expect_sums(at::kCPU); }

TEST(CudaGraphCache, ResultsOutliveTheNextCall) {
  CudaGraphCache graph(at::kCPU);
  const at::Tensor one = at::ones({2}), two = at::full({2}, 2.0f);
  const auto same = [](const Tensors& inputs) { return inputs; };
  const Tensors first = graph({one}, {}, same);
  graph({two}, {}, same);
  EXPECT_TRUE(first[0].equal(one));
}

TEST(CudaGraphCache, KeepsOneGraphPerKey) {
  CudaGraphCache graph(at::kCPU);
  const at::Tensor x = at::arange(6, at::kFloat);
  for (const int64_t rows : {2, 3, 2}) {
    const auto reshaped = [&](const Tensors& inputs) {
      return Tensors{inputs[0].view({rows, -1})};
    };
    EXPECT_EQ(graph({x}, {rows}, reshaped)[0].size(0), rows);
  }
}

TEST(CudaGraphCache, ComputesMoreShapesThanItKeepsGraphsFor) {
  CudaGraphCache graph(at::kCPU);
  for (int64_t n = 1; n <= 2 * int64_t{CudaGraphCache::kMaxGraphs}; ++n) {
    const at::Tensor x = at::ones({n});
    EXPECT_TRUE(graph({x, x}, {}, sum_and_nothing)[0].equal(x + x)) << n;
  }
}

class GpuCudaGraphCache : public GpuTest {};

TEST_F(GpuCudaGraphCache, ComputesTheFunction) { expect_sums(at::kCUDA); }

}  // namespace
}  // namespace tagclip
