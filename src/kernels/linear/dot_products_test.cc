#include "kernels/linear/dot_products.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "kernels/common/bfloat16.h"

namespace tagclip {
namespace {

// Tiles of all heights and widths, and columns that fill no register.
constexpr int64_t kSizes[][3] = {{1, 1, 4},     {5, 16, 8},    {6, 17, 12},   {7, 64, 64},
                                 {13, 40, 768}, {12, 100, 32}, {25, 130, 20}, {6, 33, 3072}};
constexpr int64_t kPadding = 3;  // numbers between rows of a, columns between rows of c

// b' [N, K] as dot products read it: [K / g, N, g].
at::Tensor grouped(const at::Tensor& b, int64_t group) {
  return b.view({b.size(0), b.size(1) / group, group}).transpose(0, 1).contiguous();
}

TEST(DotProducts, OfBFloat16EqualLibTorchs) {
  if (!has_bfloat16_dot()) GTEST_SKIP() << "no bfloat16 dot products on this processor";
  at::manual_seed(1);
  for (const auto& [M, N, K] : kSizes) {
    const at::Tensor a = at::randn({M, K + kPadding}).to(at::kBFloat16),
                     b = at::randn({N, K}).to(at::kBFloat16), panel = grouped(b, 2);
    const at::Tensor expected = a.narrow(1, 0, K).to(at::kDouble).matmul(b.to(at::kDouble).t());
    at::Tensor c = at::full({M, N + kPadding}, 7.0f);
    for (const bool accumulate : {false, true}) {
      multiply_by_dot(M, N, K,
                      {bfloat16_data(a), bfloat16_data(panel), c.mutable_data_ptr<float>(),
                       K + kPadding, N, N + kPadding},
                      accumulate);
      const at::Tensor times = expected * (accumulate ? 2 : 1);
      EXPECT_LT((c.narrow(1, 0, N) - times).abs().max().item<double>(), 1e-4 * K) << M << " " << N;
      EXPECT_TRUE(c.narrow(1, N, kPadding).eq(7).all().item<bool>()) << M << " " << N;
    }
  }
}

TEST(DotProducts, OfBytesAreExact) {
  if (!has_int8_dot()) GTEST_SKIP() << "no int8 dot products on this processor";
  at::manual_seed(2);
  for (const auto& [M, N, K] : kSizes) {
    const at::Tensor a = at::randint(-128, 128, {M, K + kPadding}, at::kChar),
                     b = at::randint(-128, 128, {N, K}, at::kChar), panel = grouped(b, 4);
    const at::Tensor expected = a.narrow(1, 0, K).to(at::kInt).matmul(b.to(at::kInt).t());
    at::Tensor c = at::full({M, N + kPadding}, 7, at::kInt);
    for (const bool accumulate : {false, true}) {
      multiply_by_dot(M, N, K,
                      {a.const_data_ptr<int8_t>(), panel.const_data_ptr<int8_t>(),
                       c.mutable_data_ptr<int32_t>(), K + kPadding, N, N + kPadding},
                      accumulate);
      EXPECT_TRUE(c.narrow(1, 0, N).equal(expected * (accumulate ? 2 : 1))) << M << " " << N;
      EXPECT_TRUE(c.narrow(1, N, kPadding).eq(7).all().item<bool>()) << M << " " << N;
    }
  }
}

}  // namespace
}  // namespace tagclip
