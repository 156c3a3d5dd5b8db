#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "kernels/common/test_random.h"
#include "kernels/mask_loss/mask_loss.h"
#include "kernels/mask_loss/reference.h"

namespace tagclip {

// Logits with labels. Tests only.
struct MaskCase {
  at::Tensor logits;  // [B, C, h, w]
  at::Tensor labels;  // [B, H, W]
};

using SumMasks = MaskSums(const at::Tensor& logits, const at::Tensor& labels);

inline constexpr double kValueLimit = 1e-5, kGradientLimit = 1e-4;

inline at::Generator seeded(uint64_t seed) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

inline at::Tensor leaf(const at::Tensor& values) { return values.clone().requires_grad_(); }

// Adds random shares of each map to one scalar, so that every sum's own gradient counts.
inline at::Tensor mixed(const MaskSums& sums) {
  at::Generator generator = seeded(7);
  const auto weighed = [&](const at::Tensor& values) {
    const at::Tensor shares = at::rand(values.sizes(), generator, at::kDouble);
    return (values * shares.to(values.options())).sum();
  };
  return weighed(sums.focal) + weighed(sums.intersection) + weighed(sums.prediction);
}

inline void expect_close(const at::Tensor& found, const at::Tensor& expected, double limit) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  const double largest = std::max(expected.abs().max().item<double>(), 1e-3);
  EXPECT_LE((found.to(at::kDouble) - expected).abs().max().item<double>(), limit * largest);
}

// Draws sizes of any ratio and labels in blocks, some of no class, so that classes are absent.
inline MaskCase random_masks(uint32_t seed) {
  std::mt19937 random(seed);
  at::Generator generator = seeded(seed);
  const int64_t images = draw(random, 1, 3), classes = draw(random, 1, 9);
  const auto side = [&](int64_t most) { return draw(random, 1, most); };
  const int64_t h = side(20), w = side(20), height = side(90), width = side(90);
  const double spread = draw(random, 1, 10);
  const at::Tensor blocks = at::randint(
      -2, classes + 2, {images, 1, 1 + height / 20, 1 + width / 20}, generator, at::kFloat);
  const at::Tensor labels = at::upsample_nearest2d(blocks, {height, width}).squeeze(1);
  return {at::randn({images, classes, h, w}, generator) * spread, labels.to(at::kLong)};
}

// Returns a case of one image and three classes, labels at random.
inline MaskCase masks_of_size(int64_t h, int64_t w, int64_t height, int64_t width) {
  at::Generator generator = seeded(5);
  return {at::randn({1, 3, h, w}, generator) * 3,
          at::randint(-1, 3, {1, height, width}, generator, at::kLong)};
}

// Returns a case of a step's own sizes: 16 pixels per patch. Logits lie between `low` and `high`.
inline MaskCase full_size(double low, double high) {
  at::Generator generator = seeded(3);
  return {at::empty({1, 4, 32, 32}).uniform_(low, high, generator),
          at::randint(-1, 4, {1, 512, 512}, generator, at::kLong)};
}

// The same as targets of one map a image.
inline MaskCase binary(const MaskCase& masks) {
  return {masks.logits.narrow(1, 0, 1), masks.labels.clamp(-1, 1).to(at::kChar)};
}

// Sums and gradients of `fast` in float32 against `plain` in float64, as mask_loss.h promises.
inline void expect_agreement(const MaskCase& given, SumMasks* fast, SumMasks* plain) {
  const at::Tensor logits = leaf(given.logits), exact = leaf(given.logits.to(at::kDouble));
  const MaskSums found = fast(logits, given.labels), expected = plain(exact, given.labels);
  expect_close(found.focal, expected.focal, kValueLimit);
  expect_close(found.intersection, expected.intersection, kValueLimit);
  expect_close(found.prediction, expected.prediction, kValueLimit);
  EXPECT_TRUE(found.target.to(at::kDouble).equal(expected.target));
  mixed(found).backward();
  mixed(expected).backward();
  expect_close(logits.grad(), exact.grad(), kGradientLimit);
}

// Sums and gradients, one after the other.
inline at::Tensor results_of(const MaskCase& given, SumMasks* way) {
  const at::Tensor logits = leaf(given.logits);
  const MaskSums sums = way(logits, given.labels);
  mixed(sums).backward();
  return at::cat({sums.focal.flatten(), sums.intersection.flatten(), sums.prediction.flatten(),
                  logits.grad().flatten()});
}

}  // namespace tagclip
