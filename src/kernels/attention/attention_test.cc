#include "kernels/attention/attention.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace tagclip {
namespace {

double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kFloat) - b.to(at::kFloat)).abs().max().item<double>();
}

struct Case {
  int64_t B, L, P, heads, d;
};

constexpr Case kCases[] = {{1, 1, 0, 1, 1},    {2, 5, 3, 2, 8},    {1, 33, 1, 3, 7},
                           {1, 64, 10, 2, 64}, {3, 100, 7, 2, 32}, {1, 257, 4, 1, 6},
                           {1, 31, 0, 4, 20}};

at::Tensor attended(const at::Tensor& qkv, const at::Tensor& prefix_kv, int64_t heads,
                    GemmPrecision precision) {
  at::Tensor out = at::empty({qkv.size(0), qkv.size(1), qkv.size(2) / 3}, qkv.options());
  attention(qkv, prefix_kv, heads, precision, out);
  return out;
}

using enum GemmPrecision;

TEST(Attention, EqualsTheReferenceForAllSizes) {
  at::manual_seed(1);
  for (const auto& [precision, tolerance] :
       {std::pair(kFloat32, 2e-5), {kBFloat16x3, 3e-4}, {kBFloat16, 0.05}}) {
    const at::ScalarType type = storage_type(precision);
    for (const Case& c : kCases) {
      const at::Tensor qkv = (at::randn({c.B, c.L, 3 * c.heads * c.d}) * 2).to(type);
      at::Tensor prefix_kv;
      if (c.P > 0) prefix_kv = at::randn({c.P, 2 * c.heads * c.d}).to(type);
      EXPECT_LT(difference(attended(qkv, prefix_kv, c.heads, precision),
                           reference_attention(qkv, prefix_kv, c.heads)),
                tolerance)
          << name_of(precision) << " L " << c.L << " P " << c.P << " d " << c.d;
    }
  }
}

TEST(Attention, HugeScoresDoNotOverflow) {
  at::manual_seed(2);
  const at::Tensor qkv = at::randn({1, 40, 48}) * 300;
  for (const GemmPrecision precision : {kFloat32, kBFloat16x3}) {
    const at::Tensor out = attended(qkv, {}, 1, precision);
    EXPECT_TRUE(out.isfinite().all().item<bool>());
  }
  EXPECT_LT(difference(attended(qkv, {}, 1, kFloat32), reference_attention(qkv, {}, 1)), 0.05);
}

TEST(Attention, NanStaysNan) {
  for (const GemmPrecision precision : {kFloat32, kBFloat16x3, kBFloat16}) {
    at::Tensor qkv = at::ones({1, 4, 24}, storage_type(precision));
    qkv[0][0][0] = std::nan("");
    EXPECT_TRUE(attended(qkv, {}, 1, precision)[0][0].isnan().all().item<bool>())
        << name_of(precision);
  }
}

TEST(Attention, DoesNotDependOnTheNumberOfThreads) {
  at::manual_seed(3);
  const int threads = at::get_num_threads();
  for (const GemmPrecision precision : {kFloat32, kBFloat16x3, kBFloat16}) {
    const at::Tensor qkv = at::randn({2, 150, 96}).to(storage_type(precision));
    at::set_num_threads(1);
    const at::Tensor one = attended(qkv, {}, 2, precision);
    at::set_num_threads(5);
    EXPECT_TRUE(one.equal(attended(qkv, {}, 2, precision))) << name_of(precision);
  }
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace tagclip
