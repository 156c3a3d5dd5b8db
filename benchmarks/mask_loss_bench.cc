// Sums of the training losses and their gradients: the kernel, and the LibTorch operations it
// replaces. Logits 32 x 32, labels 512 x 512. Arguments: photos, classes.
#include <ATen/CPUGeneratorImpl.h>
#include <benchmark/benchmark.h>

#include "kernels/mask_loss/mask_loss.h"
#include "kernels/mask_loss/reference.h"

namespace tagclip {
namespace {

constexpr int64_t kGrid = 32, kSide = 512, kBlocks = 4;

using SumMasks = MaskSums(const at::Tensor& logits, const at::Tensor& labels);

void forward_and_backward(benchmark::State& state, SumMasks* sum_masks) {
  const int64_t photos = state.range(0), classes = state.range(1);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
  at::Tensor logits = at::randn({photos, classes, kGrid, kGrid}, generator).requires_grad_();
  const at::Tensor blocks =
      at::randint(-1, classes, {photos, 1, kBlocks, kBlocks}, generator, at::kFloat);
  const at::Tensor labels = at::upsample_nearest2d(blocks, {kSide, kSide}).squeeze(1).to(at::kLong);
  for (auto _ : state) {
    const MaskSums sums = sum_masks(logits, labels);
    (sums.focal.sum() + sums.intersection.sum() + sums.prediction.sum()).backward();
    logits.mutable_grad().reset();
  }
}

void kernel(benchmark::State& state) { forward_and_backward(state, mask_sums); }
void libtorch(benchmark::State& state) { forward_and_backward(state, reference_mask_sums); }

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Unit(benchmark::kMillisecond)->UseRealTime()->ArgNames({"photos", "classes"});
  for (const int64_t classes : {15, 156}) benchmark->Args({2, classes});
}
BENCHMARK(kernel)->Apply(sizes)->Args({16, 156});  // of which LibTorch would take tens of GiB
BENCHMARK(libtorch)->Apply(sizes);

}  // namespace
}  // namespace tagclip
