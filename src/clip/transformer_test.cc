#include "clip/transformer.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "clip/test_golden.h"

namespace tagclip {
namespace {

class Attention : public ::testing::Test {
 protected:
  static constexpr int64_t kWidth = 12, kHeads = 3, kHead = 4;
  Attention()
      : block(ParameterScope(list), kWidth, /*mlp=*/20, kHeads, /*layers=*/2,
              Activation::kQuickGelu) {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
    list.initialise(generator);
    x = at::randn({2, 5, kWidth}, generator);
    tokens = at::randn({1, 3, kWidth}, generator);
  }
  // Computes one query row and one head at a time, over the rows that `mask` [L, keys] allows.
  at::Tensor naive(const at::Tensor& queries, const at::Tensor& rows,
                   const at::Tensor& mask) const {
    const SelfAttention& attn = block.attn;
    const auto project = [&](const at::Tensor& of, int64_t part) {
      return at::linear(of, attn.in_proj_weight.narrow(0, part * kWidth, kWidth),
                        attn.in_proj_bias.narrow(0, part * kWidth, kWidth));
    };
    const at::Tensor q = project(queries, 0), k = project(rows, 1), v = project(rows, 2);
    std::vector<at::Tensor> heads;
    for (int64_t h = 0; h < kHeads; ++h) {
      const auto own = [&](const at::Tensor& of) { return of.narrow(2, h * kHead, kHead); };
      const at::Tensor logits = own(q).matmul(own(k).transpose(1, 2)) / std::sqrt(double{kHead});
      heads.push_back(logits.masked_fill(mask.logical_not(), -INFINITY).softmax(-1).matmul(own(v)));
    }
    return attn.out_proj(at::cat(heads, 2));
  }

  at::NoGradGuard no_grad;
  ParameterList list;
  ResidualBlock block;
  at::Tensor x, tokens;
};

TEST_F(Attention, EqualsTheFormula) {
  expect_near("all", block.attn(x), naive(x, x, at::ones({5, 5}, at::kBool)), 1e-6);
}

TEST_F(Attention, CausalRowsSeeNoLaterOnes) {
  expect_near("causal", block.attn(x, true), naive(x, x, at::ones({5, 5}, at::kBool).tril()), 1e-6);
}

TEST_F(Attention, ExtraKeysAreMoreRowsToAttendTo) {
  const at::Tensor rows = at::cat({x, tokens.expand({2, -1, -1})}, 1);
  expect_near("also", block.attn(x, block.attn.keys_values(tokens)),
              naive(x, rows, at::ones({5, 8}, at::kBool)), 1e-6);
}

// Training in bfloat16 takes another way through attention (and other roundings) than anything
// else.
TEST_F(Attention, TrainingInBFloat16ComputesTheSame) {
  list.set_trained([](const std::string&) { return true; });
  const auto trained = [&](bool causal, at::ScalarType type) {
    at::AutoGradMode grad(true);
    const SelfAttention& attn = block.attn;
    const at::Tensor input = x.detach().to(type).requires_grad_();
    SelfAttention lower = attn;
    lower.in_proj_weight = attn.in_proj_weight.to(type);
    lower.in_proj_bias = attn.in_proj_bias.to(type);
    lower.out_proj.weight = attn.out_proj.weight.to(type);
    lower.out_proj.bias = attn.out_proj.bias.to(type);
    const at::Tensor output = lower(input, causal);
    output.square().sum().backward();
    return at::stack({output.detach().to(at::kFloat), input.grad().to(at::kFloat)});
  };
  for (const bool causal : {false, true}) {
    const at::Tensor exact = trained(causal, at::kFloat);
    expect_near(causal ? "causal" : "all", trained(causal, at::kBFloat16), exact,
                0.02 * exact.abs().max().item<double>());
  }
}

TEST_F(Attention, BlockAddsAttentionThenMlp) {
  const at::Tensor attended = x + block.attn(block.ln_1(x));
  const at::Tensor hidden = block.c_fc(block.ln_2(attended));
  expect_near("block", block(x, false),
              attended + block.c_proj(hidden * at::sigmoid(1.702 * hidden)), 1e-6);
}

TEST_F(Attention, HeadsMustDivideTheWidth) {
  ParameterList other;
  EXPECT_THROW(SelfAttention(ParameterScope(other), 12, 5, constant(0), constant(0)),
               InternalError);
}

TEST(Activations, FollowTheirDefinitions) {
  const at::Tensor x = at::linspace(-4, 4, 33);
  expect_near("gelu", activate(x, Activation::kGelu), 0.5 * x * (1 + at::erf(x / std::sqrt(2.0))),
              1e-6);
  expect_near("quick", activate(x, Activation::kQuickGelu), x / (1 + at::exp(-1.702 * x)), 1e-6);
}

TEST(LayerNorm, NormalisesWithItsEpsilon) {
  at::NoGradGuard no_grad;
  ParameterList list;
  const LayerNorm norm(ParameterScope(list), 4, /*epsilon=*/0.5);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
  list.initialise(generator);
  const at::Tensor x = at::tensor({1.0f, 2.0f, 3.0f, 6.0f});
  expect_near("norm", norm(x), (x - 3) / std::sqrt(3.5 + 0.5), 1e-6);
}

}  // namespace
}  // namespace tagclip
