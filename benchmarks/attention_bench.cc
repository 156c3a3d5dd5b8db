// Self-attention of a ViT-B/16 over a 512 x 512 photo and 10 prompts: the kernel, and the LibTorch
// operations it replaces. Argument: prompts.
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include "kernels/attention/attention.h"

namespace tagclip {
namespace {

constexpr int64_t kTokens = 1025, kHeads = 12, kHead = 64, kWidth = kHeads * kHead;

struct Input {
  Input(int64_t prompts, at::ScalarType type)
      : qkv(at::randn({1, kTokens, 3 * kWidth}).to(type)),
        prefix_kv(at::randn({prompts, 2 * kWidth}).to(type)) {}
  at::Tensor qkv, prefix_kv;
};

void kernel(benchmark::State& state, GemmPrecision precision) {
  const c10::InferenceMode no_gradients;
  const at::ScalarType type = storage_type(precision);
  const Input input(state.range(0), type);
  at::Tensor out = at::empty({1, kTokens, kWidth}, type);
  for (auto _ : state) attention(input.qkv, input.prefix_kv, kHeads, precision, out);
}

void libtorch(benchmark::State& state, at::ScalarType type) {
  const c10::InferenceMode no_gradients;
  const Input input(state.range(0), type);
  const auto heads = [](const at::Tensor& x) {
    return x.unflatten(2, {-1, kHeads, kHead}).permute({2, 0, 3, 1, 4}).unbind(0);
  };
  const auto others = heads(input.prefix_kv.unsqueeze(0));
  for (auto _ : state) {
    const auto own = heads(input.qkv);
    benchmark::DoNotOptimize(at::scaled_dot_product_attention(own[0],
                                                              at::cat({own[1], others[0]}, 2),
                                                              at::cat({own[2], others[1]}, 2))
                                 .transpose(1, 2)
                                 .flatten(2));
  }
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Unit(benchmark::kMillisecond)->UseRealTime()->ArgName("prompts")->Arg(10)->Arg(100);
}
BENCHMARK_CAPTURE(kernel, float32, GemmPrecision::kFloat32)->Apply(sizes);
BENCHMARK_CAPTURE(kernel, bfloat16x3, GemmPrecision::kBFloat16x3)->Apply(sizes);
BENCHMARK_CAPTURE(libtorch, float32, at::kFloat)->Apply(sizes);
BENCHMARK_CAPTURE(kernel, bfloat16, GemmPrecision::kBFloat16)->Apply(sizes);
BENCHMARK_CAPTURE(libtorch, bfloat16, at::kBFloat16)->Apply(sizes);

}  // namespace
}  // namespace tagclip
