#include "kernels/refine/guided_filter.h"

#include <gtest/gtest.h>

#include <tuple>

namespace tagclip {
namespace {

TEST(GuidedFilter, KeepsEdgesOfTheImageAndSmoothsTheRest) {
  at::Tensor image = at::zeros({3, 32, 64}, at::kByte);
  image.narrow(2, 32, 32).fill_(255);
  at::manual_seed(5);
  at::Tensor map = at::zeros({32, 64});
  map.narrow(1, 32, 32).fill_(1);
  const at::Tensor noisy = map + 0.2 * at::randn({32, 64});
  const at::Tensor filtered = GuidedFilter(image, {})(noisy);
  EXPECT_LT((filtered - map).abs().max().item<double>(), 0.1);
  EXPECT_LT((filtered - map).abs().mean().item<double>(),
            0.25 * (noisy - map).abs().mean().item<double>());
}

TEST(GuidedFilter, BoxMeansEqualThoseOfPooling) {
  at::manual_seed(7);
  for (const auto& [height, width, radius] :
       {std::tuple{1, 1, 3}, {1, 40, 8}, {40, 1, 8}, {5, 7, 9}, {33, 600, 8}, {20, 30, 1}}) {
    const at::Tensor map = at::randn({height, width});
    const int64_t side = 2 * radius + 1;
    const at::Tensor sums = at::avg_pool2d(map.view({1, 1, height, width}), {side, side}, {1, 1},
                                           {radius, radius}, /*ceil_mode=*/false,
                                           /*count_include_pad=*/false);
    EXPECT_LT((box_mean(map, radius) - sums[0][0]).abs().max().item<double>(), 1e-6)
        << height << "x" << width << ", radius " << radius;
  }
}

TEST(GuidedFilter, LeavesConstantMapsAlone) {
  const at::Tensor image = at::randint(0, 256, {3, 20, 30}, at::TensorOptions(at::kByte));
  const GuidedFilter filter(image, {.radius = 4});
  EXPECT_LT((filter(at::full({20, 30}, 0.7)) - 0.7).abs().max().item<double>(), 1e-5);
}

}  // namespace
}  // namespace tagclip
