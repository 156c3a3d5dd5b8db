#include "model/decoder.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "clip/test_golden.h"
#include "model/test_model.h"

namespace tagclip {
namespace {

// The sizes are those of small_config().
constexpr int64_t kWidth = 16, kHeads = 4, kHead = kWidth / kHeads, kPatches = 30;

// The counts go from few queries to so many that it is cheaper to project the patches.
const int64_t kQueries[] = {1, 3, 7, 29, 30, 50};

struct Problem {
  explicit Problem(int64_t queries)
      : queries(at::randn({2, queries, kWidth}, seeded(5))),
        patches(at::randn({2, kPatches, kWidth}, seeded(6))),
        attention(ParameterScope(parameters, "x"), small_config()) {
    at::Generator generator = seeded(7);
    parameters.initialise(generator);
    for (const Parameter& parameter : parameters.all()) {
      parameter.tensor.normal_(0, 0.4, generator);
    }
  }

  // Returns the scores of each head, everything projected, [B, heads, Q, N].
  at::Tensor scores() const {
    const at::Tensor keys = by_head(attention.k(patches));
    return by_head(attention.q(queries)).matmul(keys.transpose(2, 3)) /
           std::sqrt(static_cast<double>(kHead));
  }
  at::Tensor gathered(const Dropout& dropout) const {
    const at::Tensor values = by_head(attention.v(patches));
    return attention.proj(dropout(scores().softmax(-1)).matmul(values).transpose(1, 2).flatten(2));
  }

  static at::Tensor by_head(const at::Tensor& x) {
    return x.view({2, x.size(1), kHeads, kHead}).transpose(1, 2);
  }

  at::Tensor queries, patches;
  ParameterList parameters;
  CrossAttention attention;
};

TEST(CrossAttention, MaskLogitsAreTheMeanOverTheHeads) {
  for (const int64_t queries : kQueries) {
    const Problem problem(queries);
    expect_near(std::to_string(queries) + " queries",
                problem.attention.mask_logits(problem.queries, problem.patches),
                problem.scores().mean(1), 1e-5);
  }
}

TEST(CrossAttention, OfAModelIsTheMeanOverTheHeads) {
  at::NoGradGuard no_grad;
  const SegmentationModel model = small_model();
  const CrossAttention& attention = model.head.decoder().layers[0].multihead_attn;
  const at::Tensor queries = at::randn({2, 5, 16}, seeded(5)),
                   patches = at::randn({2, 9, 16}, seeded(6));
  const auto heads = [](const at::Tensor& x) {
    return x.view({2, x.size(1), 4, 4}).transpose(1, 2);
  };
  const at::Tensor by_head =
      heads(attention.q(queries)).matmul(heads(attention.k(patches)).transpose(2, 3)) /
      std::sqrt(4.0);
  expect_near("logits", attention.mask_logits(queries, patches), by_head.mean(1), 1e-6);

  const at::Tensor gathered = attention.proj(
      by_head.softmax(-1).matmul(heads(attention.v(patches))).transpose(1, 2).flatten(2));
  expect_near("gathered", attention(queries, patches, patches, {}), gathered, 1e-6);
}

TEST(CrossAttention, GathersTheSameInEitherOrder) {
  for (const int64_t queries : kQueries) {
    const Problem problem(queries);
    expect_near(std::to_string(queries) + " queries",
                problem.attention(problem.queries, problem.patches, problem.patches, {}),
                problem.gathered({}), 1e-5);
  }
}

TEST(CrossAttention, DropsTheSameWeightsInEitherOrder) {
  for (const int64_t queries : kQueries) {
    const Problem problem(queries);
    const at::Tensor found = problem.attention(problem.queries, problem.patches, problem.patches,
                                               Dropout(0.4, seeded(8)));
    expect_near(std::to_string(queries) + " queries", found,
                problem.gathered(Dropout(0.4, seeded(8))), 1e-5);
  }
}

TEST(CrossAttention, GradientsAreTheSameInEitherOrder) {
  for (const int64_t queries : kQueries) {
    const Problem problem(queries);
    const auto gradients = [&](const auto& output) {
      for (const Parameter& parameter : problem.parameters.all()) {
        parameter.tensor.mutable_grad() = at::Tensor();
        parameter.tensor.requires_grad_(true);
      }
      output().square().sum().backward();
      std::vector<at::Tensor> all;
      for (const Parameter& parameter : problem.parameters.all()) {
        all.push_back(parameter.tensor.grad());
      }
      return all;
    };
    const auto expected = gradients([&] { return problem.gathered({}); });
    const auto found = gradients(
        [&] { return problem.attention(problem.queries, problem.patches, problem.patches, {}); });
    double largest = 0;  // that of k.bias is 0, but for rounding
    for (const at::Tensor& x : expected) largest = std::max(largest, x.abs().max().item<double>());
    for (size_t i = 0; i < expected.size(); ++i) {
      expect_near(problem.parameters.all()[i].name, found[i], expected[i], 1e-5 * largest);
    }
  }
}

}  // namespace
}  // namespace tagclip
