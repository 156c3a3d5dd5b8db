#include "kernels/mask_loss.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/vector_math.h"

namespace tagclip {
namespace {

constexpr double kValueLimit = 1e-5, kGradientLimit = 1e-4;

struct Case {
  at::Tensor logits;  // [B, C, h, w]
  at::Tensor labels;  // [B, H, W]
};

int64_t draw(std::mt19937& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

// Sizes of any ratio, up or down; labels in blocks, some of no class, so that classes are absent.
Case random_case(uint32_t seed) {
  std::mt19937 random(seed);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const int64_t photos = draw(random, 1, 3), classes = draw(random, 1, 9);
  const auto side = [&](int64_t most) { return draw(random, 1, most); };
  const int64_t h = side(20), w = side(20), height = side(90), width = side(90);
  const double spread = draw(random, 1, 10);
  const at::Tensor blocks = at::randint(
      -2, classes + 2, {photos, 1, 1 + height / 20, 1 + width / 20}, generator, at::kFloat);
  const at::Tensor labels = at::upsample_nearest2d(blocks, {height, width}).squeeze(1);
  return {at::randn({photos, classes, h, w}, generator) * spread, labels.to(at::kLong)};
}

at::Tensor leaf(const at::Tensor& values) { return values.clone().requires_grad_(); }

// Random shares of each map in one scalar, so that every sum's own gradient counts.
at::Tensor mixed(const MaskSums& sums) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  const auto weighed = [&](const at::Tensor& values) {
    const at::Tensor shares = at::rand(values.sizes(), generator, at::kDouble);
    return (values * shares.to(values.scalar_type())).sum();
  };
  return weighed(sums.focal) + weighed(sums.hit) + weighed(sums.area);
}

void expect_close(const at::Tensor& found, const at::Tensor& expected, double limit) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  const double largest = std::max(expected.abs().max().item<double>(), 1e-3);
  EXPECT_LE((found.to(at::kDouble) - expected).abs().max().item<double>(), limit * largest);
}

using SumMasks = MaskSums(const at::Tensor& logits, const at::Tensor& labels);

void expect_agreement(const Case& given, SumMasks* fast, SumMasks* plain) {
  const at::Tensor logits = leaf(given.logits), exact = leaf(given.logits.to(at::kDouble));
  const MaskSums found = fast(logits, given.labels), expected = plain(exact, given.labels);
  expect_close(found.focal, expected.focal, kValueLimit);
  expect_close(found.hit, expected.hit, kValueLimit);
  expect_close(found.area, expected.area, kValueLimit);
  EXPECT_TRUE(found.target.to(at::kDouble).equal(expected.target));
  mixed(found).backward();
  mixed(expected).backward();
  expect_close(logits.grad(), exact.grad(), kGradientLimit);
}

TEST(MaskSums, AgreeWithTheReference) {
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    expect_agreement(random_case(seed), mask_sums, plain_mask_sums);
  }
}

TEST(MaskSums, OfOneMapAPhotoAgreeWithTheReference) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Case given = random_case(seed);
    given.logits = given.logits.narrow(1, 0, 1);
    given.labels = given.labels.clamp(-1, 1).to(at::kChar);
    expect_agreement(given, binary_mask_sums, plain_binary_mask_sums);
  }
}

// A step's own sizes: 16 pixels a patch.
Case full_size(double low, double high) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  return {at::empty({1, 4, 32, 32}).uniform_(low, high, generator),
          at::randint(-1, 4, {1, 512, 512}, generator, at::kLong)};
}

TEST(MaskSums, AgreeWithTheReferenceAtFullSize) {
  expect_agreement(full_size(-8, 8), mask_sums, plain_mask_sums);
}

TEST(MaskSums, PhotosWithoutAClassHaveTheFocalSumAlone) {
  Case given = full_size(-4, 4);
  given.labels.fill_(255);
  expect_agreement(given, mask_sums, plain_mask_sums);
  const MaskSums sums = mask_sums(given.logits, given.labels);
  EXPECT_TRUE(sums.focal.gt(0).all().item<bool>());
  EXPECT_EQ(sums.area.abs().max().item<float>(), 0);
  EXPECT_EQ(sums.target.abs().max().item<float>(), 0);
}

TEST(MaskSums, EveryClassInAPhoto) {
  const Case given = full_size(-4, 4);
  EXPECT_TRUE(mask_sums(given.logits, given.labels).target.gt(0).all().item<bool>());
}

TEST(MaskSums, LargeLogitsStayFinite) {
  for (const double size : {20.0, 100.0, 1e6}) {
    SCOPED_TRACE(size);
    expect_agreement(full_size(-size, size), mask_sums, plain_mask_sums);
    expect_agreement(full_size(-size, -size), mask_sums, plain_mask_sums);
  }
}

TEST(MaskSums, LogitsThatAreNoNumbersAreNotHidden) {
  Case given = full_size(-1, 1);
  given.logits[0][2][5][5] = std::nan("");
  for (const int64_t labels : {-1, 2}) {
    given.labels.fill_(labels);
    const MaskSums sums = mask_sums(given.logits, given.labels);
    EXPECT_TRUE(sums.focal[0][2].isnan().item<bool>());
    EXPECT_FALSE(sums.focal[0][1].isnan().item<bool>());
  }
}

TEST(MaskSums, LabelsBeyond32BitsAreBackground) {
  Case given = full_size(-1, 1);
  given.labels.fill_(int64_t{1} << 32);
  EXPECT_EQ(mask_sums(given.logits, given.labels).target.sum().item<float>(), 0);
}

TEST(MaskSums, DoNotDependOnTheNumberOfThreads) {
  const Case given = random_case(8);
  const auto results = [&](int threads) {
    at::set_num_threads(threads);
    const at::Tensor logits = leaf(given.logits);
    const MaskSums sums = mask_sums(logits, given.labels);
    mixed(sums).backward();
    return std::vector<at::Tensor>{sums.focal, sums.hit, sums.area, logits.grad()};
  };
  const int before = at::get_num_threads();
  const auto one = results(1), three = results(3);
  at::set_num_threads(before);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(three[i])) << i;
}

TEST(FastLog1p, IsExactToSixDigits) {
  for (double x = 1e-6; x <= 1; x += 1e-6) {
    const auto rounded = static_cast<float>(x);
    ASSERT_NEAR(fast_log1p(rounded) / std::log1p(static_cast<double>(rounded)), 1, 2e-7) << x;
  }
  EXPECT_EQ(fast_log1p(0), 0.0f);
}

}  // namespace
}  // namespace tagclip
