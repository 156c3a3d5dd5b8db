#include "kernels/linear/quick_gelu.h"

#include <gtest/gtest.h>

namespace tagclip {
namespace {

struct Found {
  at::Tensor value, gradient;
};

Found with_gradient(const at::Tensor& x, at::Tensor (*function)(const at::Tensor&),
                    const at::Tensor& weights) {
  const at::Tensor leaf = x.detach().clone().requires_grad_();
  const at::Tensor value = function(leaf);
  value.backward(weights);
  return {value.detach().to(at::kFloat), leaf.grad().to(at::kFloat)};
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(QuickGelu, EqualsTheReferenceWithItsGradient) {
  at::manual_seed(1);
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1}, {7, 33}, {2, 1025, 96}}) {
    const at::Tensor x = at::randn(shape) * 6, weights = at::randn(shape);
    const Found plain = with_gradient(x, reference_quick_gelu, weights);
    const Found ours = with_gradient(x, quick_gelu, weights);
    EXPECT_LT(difference(ours.value, plain.value), 1e-5);
    EXPECT_LT(difference(ours.gradient, plain.gradient), 1e-5);

    const Found half = with_gradient(x.to(at::kBFloat16), quick_gelu, weights.to(at::kBFloat16));
    EXPECT_LT(difference(half.value, plain.value), 0.15);
    EXPECT_LT(difference(half.gradient, plain.gradient), 0.06);
  }
}

TEST(QuickGelu, TakesTensorsThatAreNotContiguous) {
  at::manual_seed(2);
  const at::Tensor x = at::randn({5, 8}).t();
  EXPECT_LT(difference(quick_gelu(x), reference_quick_gelu(x)), 1e-6);
}

TEST(QuickGelu, FarOutIsTheNumberOrZero) {
  const at::Tensor x = at::tensor({-1e30f, -100.0f, 100.0f, 1e30f}).requires_grad_();
  const at::Tensor y = quick_gelu(x);
  y.sum().backward();
  EXPECT_LT(difference(y.detach().narrow(0, 1, 2), at::tensor({0.0f, 100.0f})), 1e-6);
  EXPECT_EQ(y[3].item<float>(), 1e30f);
  EXPECT_LT(difference(x.grad().narrow(0, 1, 2), at::tensor({0.0f, 1.0f})), 1e-6);
}

}  // namespace
}  // namespace tagclip
