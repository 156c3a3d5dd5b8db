#include "kernels/refine/pamr.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

// Shifts maps [C, H, W] with the border repeated.
at::Tensor shifted(const at::Tensor& maps, int64_t dy, int64_t dx) {
  const auto clamped = [](int64_t n, int64_t shift) {
    return (at::arange(n) + shift).clamp(0, n - 1);
  };
  return maps.index_select(1, clamped(maps.size(1), dy)).index_select(2, clamped(maps.size(2), dx));
}

// Computes the recipe in LibTorch's operations, float64.
at::Tensor reference_pamr(const at::Tensor& image, at::Tensor maps, const PamrOptions& options) {
  const at::Tensor values = image.to(at::kDouble);
  std::vector<at::Tensor> around, with_own;
  std::vector<std::pair<int64_t, int64_t>> shifts;
  for (const int d : options.dilations) {
    for (int64_t dy = -d; dy <= d; dy += d) {
      for (int64_t dx = -d; dx <= d; dx += d) {
        with_own.push_back(shifted(values, dy, dx));
        if (dy == 0 && dx == 0) continue;
        around.push_back(with_own.back());
        shifts.emplace_back(dy, dx);
      }
    }
  }
  const at::Tensor deviation = at::stack(with_own).std(0, /*unbiased=*/true);
  const at::Tensor affinity =
      (-(at::stack(around) - values).abs() / (1e-8 + 0.1 * deviation)).mean(1).softmax(0);
  maps = maps.to(at::kDouble);
  for (int step = 0; step < options.steps; ++step) {
    at::Tensor sum = at::zeros_like(maps);
    for (size_t p = 0; p < shifts.size(); ++p) {
      sum += affinity[static_cast<int64_t>(p)] * shifted(maps, shifts[p].first, shifts[p].second);
    }
    maps = sum;
  }
  return maps;
}

at::Tensor random_image(int64_t height, int64_t width) {
  return at::randint(0, 256, {3, height, width}, at::TensorOptions(at::kByte));
}

TEST(Pamr, EqualsTheRecipeOnRandomSizes) {
  at::manual_seed(3);
  for (const auto& [height, width] : {std::pair{1, 1}, {5, 3}, {24, 36}, {61, 40}}) {
    for (const PamrOptions& options : {PamrOptions{}, PamrOptions{1, {1}},
                                       PamrOptions{3, {1, 2, 12, 24}}, PamrOptions{0, {8}}}) {
      const at::Tensor image = random_image(height, width);
      const at::Tensor map = at::randn({height, width});
      const at::Tensor expected = reference_pamr(image, map.unsqueeze(0), options)[0];
      EXPECT_LT((Pamr(image, options)(map) - expected).abs().max().item<double>(), 2e-5)
          << height << "x" << width << ", " << options.steps << " steps";
    }
  }
}

// In an area of one colour all neighbours weigh the same, and nothing there depends on rounding.
TEST(Pamr, FlatAreasAreAveraged) {
  const at::Tensor image = at::full({3, 40, 40}, 200, at::kByte);
  const Pamr pamr(image, {});
  EXPECT_LT((pamr.affinity() - 1.0 / 16).abs().max().item<double>(), 1e-7);
  EXPECT_LT((pamr(at::full({40, 40}, 0.3)) - 0.3).abs().max().item<double>(), 1e-6);
}

TEST(Pamr, PixelsOutOfReachDoNotMatter) {
  at::manual_seed(4);
  const PamrOptions options{2, {1, 4}};
  const int64_t reach = Pamr::reach(options);
  ASSERT_EQ(reach, 8);
  const at::Tensor image = random_image(30, 60), map = at::randn({30, 60});
  const int64_t cut = 40;
  const at::Tensor whole = Pamr(image, options)(map);
  const at::Tensor part =
      Pamr(image.narrow(2, 0, cut), options)(map.narrow(1, 0, cut).contiguous());
  // The weights of a pixel look as far again as the largest dilation.
  const int64_t sure = cut - reach;
  EXPECT_TRUE(part.narrow(1, 0, sure).allclose(whole.narrow(1, 0, sure), 0, 1e-6));
  EXPECT_FALSE(part.allclose(whole.narrow(1, 0, cut), 0, 1e-3));
}

}  // namespace
}  // namespace tagclip
