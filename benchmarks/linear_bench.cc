// The products of a ViT-B/16's MLP over a 512 x 512 photo, with what follows them: the kernel in
// each precision that runs here, and LibTorch's in float32 and bfloat16.
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include "kernels/linear/packed_linear.h"

namespace tagclip {
namespace {

constexpr int64_t kTokens = 1025, kWidth = 768, kInner = 4 * kWidth;

void report_speed(benchmark::State& state) {
  const double operations = 2.0 * kTokens * kWidth * kInner;
  state.counters["GFLOP/s"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void kernel(benchmark::State& state, GemmPrecision precision, bool second) {
  if (!runs_here(precision)) {
    return state.SkipWithError(
        ("not on this processor: " + gemm_support(precision).reason).c_str());
  }
  const c10::InferenceMode no_gradients;
  const int64_t in = second ? kInner : kWidth, out = second ? kWidth : kInner;
  const PackedLinear linear(at::randn({out, in}) * 0.03, at::randn({out}), precision);
  GemmOperand rows = empty_operand(kTokens, in, precision);
  copy_to_operand(at::randn({kTokens, in}), rows);
  GemmOperand result = second ? GemmOperand{.values = at::zeros({kTokens, out})}
                              : empty_output(kTokens, out, precision);
  const Epilogue epilogue = second ? Epilogue::kAccumulate : Epilogue::kQuickGelu;
  for (auto _ : state) linear(rows, epilogue, result);
  report_speed(state);
}

void libtorch(benchmark::State& state, at::ScalarType type, bool second) {
  const c10::InferenceMode no_gradients;
  const int64_t in = second ? kInner : kWidth, out = second ? kWidth : kInner;
  const at::Tensor weight = (at::randn({out, in}) * 0.03).to(type), bias = at::randn({out}, type),
                   x = at::randn({kTokens, in}, type), sum = at::zeros({kTokens, out}, type);
  for (auto _ : state) {
    const at::Tensor y = at::linear(x, weight, bias);
    benchmark::DoNotOptimize(second ? sum + y : y * at::sigmoid(1.702 * y));
  }
  report_speed(state);
}

void timed(benchmark::internal::Benchmark* benchmark) {
  benchmark->Unit(benchmark::kMillisecond)->UseRealTime();
}
BENCHMARK_CAPTURE(kernel, first_float32, GemmPrecision::kFloat32, false)->Apply(timed);
BENCHMARK_CAPTURE(libtorch, first_float32, at::kFloat, false)->Apply(timed);
BENCHMARK_CAPTURE(kernel, first_bfloat16x3, GemmPrecision::kBFloat16x3, false)->Apply(timed);
BENCHMARK_CAPTURE(kernel, first_bfloat16, GemmPrecision::kBFloat16, false)->Apply(timed);
BENCHMARK_CAPTURE(libtorch, first_bfloat16, at::kBFloat16, false)->Apply(timed);
BENCHMARK_CAPTURE(kernel, first_int8, GemmPrecision::kInt8, false)->Apply(timed);
BENCHMARK_CAPTURE(kernel, second_float32, GemmPrecision::kFloat32, true)->Apply(timed);
BENCHMARK_CAPTURE(libtorch, second_float32, at::kFloat, true)->Apply(timed);
BENCHMARK_CAPTURE(kernel, second_bfloat16x3, GemmPrecision::kBFloat16x3, true)->Apply(timed);
BENCHMARK_CAPTURE(kernel, second_bfloat16, GemmPrecision::kBFloat16, true)->Apply(timed);
BENCHMARK_CAPTURE(libtorch, second_bfloat16, at::kBFloat16, true)->Apply(timed);
BENCHMARK_CAPTURE(kernel, second_int8, GemmPrecision::kInt8, true)->Apply(timed);

}  // namespace
}  // namespace tagclip
