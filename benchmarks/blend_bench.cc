// From logits of windows to labels of a photo: the kernel, and the LibTorch operations it replaces.
// Arguments: classes, windows, side of the photo.
#include <ATen/CPUGeneratorImpl.h>
#include <benchmark/benchmark.h>

#include "kernels/blend/blend.h"
#include "kernels/blend/reference.h"

namespace tagclip {
namespace {

constexpr int64_t kWindow = 512, kStride = 426, kGrid = 32;

struct Photo {
  WindowLogits logits;
  WindowLayout layout;
  ScoreRule rule;
  Extent size;
};

Photo random_photo(const benchmark::State& state) {
  const int64_t classes = state.range(0), windows = state.range(1), side = state.range(2);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
  Photo photo{.layout = {.resized = {kWindow, kWindow + (windows - 1) * kStride},
                         .window = {kWindow, kWindow}},
              .size = {side, side}};
  photo.logits.classes = at::randn({windows, classes, kGrid, kGrid}, generator);
  photo.logits.trusty = at::randn({windows, 1, kGrid, kGrid}, generator);
  for (int64_t k = 0; k < windows; ++k) photo.layout.corners.push_back({0, k * kStride});
  for (int64_t c = 0; c < classes; ++c) {
    const bool seen = c % 4 != 0;
    photo.rule.seen_bias.push_back(seen ? 0.1f : 0.0f);
    photo.rule.weight.push_back(seen ? TrustyWeight::kSeen : TrustyWeight::kNovel);
  }
  return photo;
}

void kernel(benchmark::State& state) {
  const Photo photo = random_photo(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(blend(photo.logits, photo.layout, photo.rule, photo.size));
  }
}

void libtorch(benchmark::State& state) {
  const Photo photo = random_photo(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        best_class(reference_scores(photo.logits, photo.layout, photo.rule, photo.size)));
  }
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Unit(benchmark::kMillisecond)->UseRealTime()->ArgNames({"classes", "windows", "side"});
  for (const int64_t classes : {20, 171}) {
    benchmark->Args({classes, 1, 512});   // no overlap, no resize
    benchmark->Args({classes, 2, 1000});  // both
  }
}
BENCHMARK(kernel)
    ->Apply(sizes)
    ->Args({1000, 1, 512})
    ->Args({10000, 1, 512});  // of which LibTorch would take tens of GiB
BENCHMARK(libtorch)->Apply(sizes);

}  // namespace
}  // namespace tagclip
