#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include "kernels/refine/guided_filter.h"
#include "kernels/refine/pamr.h"

namespace tagclip {
namespace {

constexpr int64_t kHeight = 480, kWidth = 640, kRadius = 8;

at::Tensor photo() { return at::randint(0, 256, {3, kHeight, kWidth}, at::kByte); }

// The box mean in LibTorch's own operations.
at::Tensor pooled_box_mean(const at::Tensor& map) {
  const auto along = [](const at::Tensor& x, at::IntArrayRef kernel, at::IntArrayRef padding) {
    return at::avg_pool2d(x, kernel, {1, 1}, padding, /*ceil_mode=*/false,
                          /*count_include_pad=*/false);
  };
  const at::Tensor rows =
      along(map.view({1, 1, kHeight, kWidth}), {1, 2 * kRadius + 1}, {0, kRadius});
  return along(rows, {2 * kRadius + 1, 1}, {kRadius, 0});
}

void box_mean_of_libtorch(benchmark::State& state) {
  const c10::InferenceMode no_gradients;
  const at::Tensor map = at::randn({kHeight, kWidth});
  for (auto _ : state) benchmark::DoNotOptimize(pooled_box_mean(map));
}
BENCHMARK(box_mean_of_libtorch)->Unit(benchmark::kMillisecond);

void box_mean_of_ours(benchmark::State& state) {
  const c10::InferenceMode no_gradients;
  const at::Tensor map = at::randn({kHeight, kWidth});
  for (auto _ : state) benchmark::DoNotOptimize(box_mean(map, kRadius));
}
BENCHMARK(box_mean_of_ours)->Unit(benchmark::kMillisecond);

template <class Filter, class Options>
void map_by(benchmark::State& state) {
  const c10::InferenceMode no_gradients;
  const Filter filter(photo(), Options());
  const at::Tensor map = at::randn({kHeight, kWidth});
  for (auto _ : state) benchmark::DoNotOptimize(filter(map));
}
BENCHMARK(map_by<GuidedFilter, GuidedFilterOptions>)->Unit(benchmark::kMillisecond);
BENCHMARK(map_by<Pamr, PamrOptions>)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tagclip
