#include "train/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace tagclip {
namespace {

Parameter parameter(const std::string& name, const std::vector<float>& values) {
  return {name, at::tensor(values).requires_grad_(true), constant(0)};
}

// One value followed by hand: decoupled decay, bias-corrected moments.
TEST(AdamW, FollowsItsFormula) {
  const AdamWConfig config{
      .lr = 0.1, .beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.1, .epsilon = 1e-8};
  Parameter p = parameter("p", {2.0f});
  AdamW optimizer({p}, config);
  double value = 2, m = 0, v = 0;
  for (int t = 1; t <= 5; ++t) {
    const double gradient = 0.3 * t - 0.5;
    p.tensor.mutable_grad() = at::tensor({static_cast<float>(gradient)});
    optimizer.step(0.1);
    value *= 1 - 0.1 * 0.1;
    m = 0.9 * m + 0.1 * gradient;
    v = 0.99 * v + 0.01 * gradient * gradient;
    value -= 0.1 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.99, t))) + 1e-8);
    EXPECT_NEAR(p.tensor.item<double>(), value, 1e-6);
  }
}

TEST(AdamW, LeavesParametersWithoutGradientAlone) {
  Parameter moved = parameter("moved", {1}), still = parameter("still", {1});
  AdamW optimizer({moved, still}, {});
  moved.tensor.mutable_grad() = at::tensor({1.0f});
  optimizer.step(0.1);
  EXPECT_NE(moved.tensor.item<float>(), 1);
  EXPECT_EQ(still.tensor.item<float>(), 1);
  optimizer.zero_grad();
  EXPECT_FALSE(moved.tensor.grad().defined());
}

TEST(AdamW, GoesOnFromItsState) {
  const auto step = [](AdamW& optimizer, Parameter& p, float gradient) {
    p.tensor.mutable_grad() = at::tensor({gradient});
    optimizer.step(0.1);
  };
  Parameter whole = parameter("p", {1});
  AdamW first({whole}, {});
  for (float gradient : {1.0f, -2.0f}) step(first, whole, gradient);

  Parameter resumed = parameter("p", {whole.tensor.item<float>()});
  AdamW second({resumed}, {});
  second.load_state(first.state());
  step(first, whole, 0.5f);
  step(second, resumed, 0.5f);
  EXPECT_EQ(whole.tensor.item<float>(), resumed.tensor.item<float>());
  EXPECT_THROW(second.load_state({}), Error);
}

TEST(AdamW, MeasuresTheGradientAsAWhole) {
  Parameter a = parameter("a", {0, 0}), b = parameter("b", {0});
  AdamW optimizer({a, b}, {});
  a.tensor.mutable_grad() = at::tensor({2.0f, 1.0f});
  b.tensor.mutable_grad() = at::tensor({2.0f});
  EXPECT_NEAR(optimizer.gradient_norm().item<double>(), 3, 1e-6);
  b.tensor.mutable_grad() = at::tensor({NAN});
  EXPECT_TRUE(std::isnan(optimizer.gradient_norm().item<double>()));
}

// The first step's moments are the gradients times 1 - beta, after scaling.
TEST(AdamW, ScalesGradientsDownToTheLargestNorm) {
  const auto first_moments = [](double max_norm) {
    Parameter a = parameter("a", {0, 0}), b = parameter("b", {0});
    AdamW optimizer({a, b}, {.beta1 = 0, .max_norm = max_norm});
    a.tensor.mutable_grad() = at::tensor({2.0f, 1.0f});
    b.tensor.mutable_grad() = at::tensor({-2.0f});
    optimizer.step(0.1);
    const auto state = optimizer.state();
    return at::cat({state.at("adamw.first.a"), state.at("adamw.first.b")});
  };
  EXPECT_TRUE(at::equal(first_moments(0), at::tensor({2.0f, 1.0f, -2.0f})));
  EXPECT_TRUE(at::equal(first_moments(3.1), at::tensor({2.0f, 1.0f, -2.0f})));
  EXPECT_TRUE(at::allclose(first_moments(1.5), at::tensor({1.0f, 0.5f, -1.0f})));
}

// Expected values: mmcv 1.4's formulas (poly by iteration, linear warm-up), worked out by hand.
TEST(LearningRate, WarmsUpOnTopOfTheDecay) {
  const ScheduleConfig config{.iterations = 20000, .warmup = 1500};
  const double base = 2e-4;
  EXPECT_NEAR(learning_rate(config, base, 0), base * 1e-6, 1e-15);
  const double regular = (base - 1e-6) * std::pow(1 - 750.0 / 20000, 0.9) + 1e-6;
  EXPECT_NEAR(learning_rate(config, base, 750), regular * (1 - 0.5 * (1 - 1e-6)), 1e-15);
}

TEST(LearningRate, DecaysToItsMinimum) {
  const ScheduleConfig config{.iterations = 100, .warmup = 0};
  EXPECT_DOUBLE_EQ(learning_rate(config, 2e-4, 0), 2e-4);
  EXPECT_NEAR(learning_rate(config, 2e-4, 50), (2e-4 - 1e-6) * std::pow(0.5, 0.9) + 1e-6, 1e-15);
  EXPECT_DOUBLE_EQ(learning_rate(config, 2e-4, 100), 1e-6);
}

}  // namespace
}  // namespace tagclip
