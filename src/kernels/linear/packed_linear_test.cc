#include "kernels/linear/packed_linear.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "kernels/linear/onednn.h"

namespace tagclip {
namespace {

// The allowed error of a product of 1 / sqrt(K)-sized weights.
double tolerance(GemmPrecision precision) {
  switch (precision) {
    case GemmPrecision::kFloat32:
      return 1e-5;
    case GemmPrecision::kBFloat16x3:
      return 1e-4;
    case GemmPrecision::kBFloat16:
      return 0.05;
    case GemmPrecision::kInt8:
      return 0.1;
  }
  return 0;
}

std::vector<GemmPrecision> runnable() {
  std::vector<GemmPrecision> all;
  for (const GemmPrecision precision : kGemmPrecisions) {
    if (runs_here(precision)) all.push_back(precision);
  }
  return all;
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kFloat) - b.to(at::kFloat)).abs().max().item<double>();
}

at::Tensor floats_of(const GemmOperand& rows) {
  const at::Tensor values = rows.values.to(at::kFloat);
  if (rows.scales.defined()) return values * rows.scales.unsqueeze(1);
  return rows.low.defined() ? values + rows.low : values;
}

struct Problem {
  Problem(int64_t M, int64_t K, int64_t N)
      : Problem(at::randn({M, K}), at::randn({N, K}) / std::sqrt(K), at::randn({N})) {}
  Problem(at::Tensor rows, at::Tensor matrix, at::Tensor sums)
      : x(std::move(rows)), weight(std::move(matrix)), bias(std::move(sums)) {}

  at::Tensor expected() const { return at::linear(x, weight, bias); }
  GemmOperand rows(GemmPrecision precision) const {
    GemmOperand result = empty_operand(x.size(0), x.size(1), precision);
    copy_to_operand(x, result);
    return result;
  }

  at::Tensor x, weight, bias;
};

TEST(PackedLinear, EqualsTheLinearLayerForAllSizes) {
  at::manual_seed(1);
  const int64_t sizes[][3] = {{1, 1, 1},    {1, 768, 64},    {33, 7, 5},     {257, 48, 130},
                              {600, 6, 70}, {1025, 96, 192}, {513, 147, 65}, {16, 3072, 32}};
  for (const GemmPrecision precision : runnable()) {
    for (const auto& [M, K, N] : sizes) {
      const Problem problem(M, K, N);
      const PackedLinear linear(problem.weight, problem.bias, precision);
      at::Tensor out = at::full({M, N}, 7.0);
      linear(problem.rows(precision), Epilogue::kBias, out);
      EXPECT_LT(difference(out, problem.expected()), tolerance(precision))
          << name_of(precision) << " " << M << " " << K << " " << N;
    }
  }
}

TEST(PackedLinear, AppliesTheEpilogue) {
  at::manual_seed(2);
  const Problem problem(300, 64, 100);
  const at::Tensor y = problem.expected();
  for (const GemmPrecision precision : runnable()) {
    const PackedLinear linear(problem.weight, problem.bias, precision);
    const GemmOperand rows = problem.rows(precision);
    at::Tensor sum = at::ones_like(y);
    linear(rows, Epilogue::kAccumulate, sum);
    EXPECT_LT(difference(sum, y + 1), tolerance(precision));
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      at::Tensor active = at::empty(y.sizes(), type);
      linear(rows, Epilogue::kQuickGelu, active);
      const double rounding = type == at::kFloat ? 1e-5 : 0.02;
      EXPECT_LT(difference(active, y * at::sigmoid(1.702 * y)), tolerance(precision) + rounding);
    }
  }
}

TEST(PackedLinear, WritesRowsWithAStride) {
  at::manual_seed(3);
  const Problem problem(20, 16, 12);
  const PackedLinear linear(problem.weight, {}, GemmPrecision::kFloat32);
  at::Tensor wide = at::zeros({20, 40});
  at::Tensor out = wide.narrow(1, 5, 12);
  linear(problem.rows(GemmPrecision::kFloat32), Epilogue::kBias, out);
  EXPECT_LT(difference(out, at::linear(problem.x, problem.weight)), 1e-5);
  EXPECT_EQ(wide.narrow(1, 0, 5).count_nonzero().item<int64_t>(), 0);
  EXPECT_EQ(wide.narrow(1, 17, 23).count_nonzero().item<int64_t>(), 0);
}

TEST(PackedLinear, DoesNotDependOnTheNumberOfThreads) {
  at::manual_seed(4);
  const Problem problem(700, 128, 200);
  const int threads = at::get_num_threads();
  for (const GemmPrecision precision : runnable()) {
    const PackedLinear linear(problem.weight, problem.bias, precision);
    at::Tensor one = at::empty({700, 200}), three = at::empty({700, 200});
    at::set_num_threads(1);
    linear(problem.rows(precision), Epilogue::kBias, one);
    at::set_num_threads(3);
    linear(problem.rows(precision), Epilogue::kBias, three);
    EXPECT_TRUE(one.equal(three)) << name_of(precision);
  }
  at::set_num_threads(threads);
}

TEST(PackedLinear, GeluEqualsLibTorchs) {
  at::manual_seed(7);
  const Problem problem(300, 64, 100);
  const PackedLinear linear(problem.weight, problem.bias, GemmPrecision::kFloat32);
  at::Tensor active = at::empty({300, 100});
  for (const double size : {0.01, 1.0, 30.0}) {
    const Problem scaled{problem.x * size, problem.weight, problem.bias};
    linear(scaled.rows(GemmPrecision::kFloat32), Epilogue::kGelu, active);
    EXPECT_LT(difference(active, at::gelu(scaled.expected())), 1e-5 * std::max(1.0, size)) << size;
  }
}

TEST(PackedLinear, NormalisesRowsOnceTheyAreComplete) {
  at::manual_seed(8);
  const int threads = at::get_num_threads();
  const RowNorm norm{at::randn({130}), at::randn({130}), 1e-5};
  for (const int64_t M : {1, 200, 1025}) {
    const Problem problem(M, 64, 130);
    const at::Tensor before = at::randn({M, 130}), after = before + problem.expected();
    const at::Tensor expected = at::layer_norm(after, {130}, norm.weight, norm.bias, norm.epsilon);
    for (const GemmPrecision precision : runnable()) {
      const PackedLinear linear(problem.weight, problem.bias, precision);
      for (const int count : {1, 3}) {
        at::set_num_threads(count);
        at::Tensor sum = before.clone();
        GemmOperand normed = empty_operand(M, 130, precision);
        linear.add_and_norm(problem.rows(precision), sum, norm, normed);
        EXPECT_LT(difference(sum, after), tolerance(precision)) << name_of(precision) << " " << M;
        EXPECT_LT(difference(floats_of(normed), expected), tolerance(precision))
            << name_of(precision) << " " << M;
      }
    }
  }
  at::set_num_threads(threads);
}

TEST(GemmOperand, LayerNormEqualsLibTorchs) {
  at::manual_seed(5);
  const at::Tensor x = at::randn({37, 50}) * 3 + 2, weight = at::randn({50}),
                   bias = at::randn({50});
  const at::Tensor expected = at::layer_norm(x, {50}, weight, bias, 1e-5);
  for (const GemmPrecision precision : runnable()) {
    GemmOperand rows = empty_operand(37, 50, precision);
    layer_norm_rows(x, {weight, bias, 1e-5}, rows);
    EXPECT_LT(difference(floats_of(rows), expected), tolerance(precision)) << name_of(precision);
  }
}

TEST(GemmOperand, PatchRowsTimesWeightsAreAConvolution) {
  at::manual_seed(6);
  constexpr int64_t kPatches = 24;  // 4 x 6
  const at::Tensor pixels = at::randn({3, 23, 31}), kernel = at::randn({9, 3, 5, 5}) / 9;
  GemmOperand rows = empty_operand(kPatches, 75, GemmPrecision::kFloat32);
  patch_rows(pixels, 5, rows);
  at::Tensor out = at::empty({kPatches, 9});
  PackedLinear(kernel.flatten(1), {}, GemmPrecision::kFloat32)(rows, Epilogue::kBias, out);
  const at::Tensor expected = at::conv2d(pixels.unsqueeze(0), kernel, {}, 5);
  EXPECT_LT(difference(out, expected[0].flatten(1).t()), 1e-5);
}

TEST(Precision, UnknownWordsAreRefused) {
  EXPECT_EQ(parse_precision("bfloat16"), GemmPrecision::kBFloat16);
  EXPECT_THROW(parse_precision("fp16"), Error);
}

TEST(GemmSupport, NamesABackendOrAReason) {
  EXPECT_TRUE(runs_here(GemmPrecision::kFloat32));
  for (const GemmPrecision precision : kGemmPrecisions) {
    const GemmSupport& support = gemm_support(precision);
    EXPECT_EQ(support.reason.empty(), support.backend.has_value()) << name_of(precision);
    if (support.backend) continue;
    try {
      check_runs_here(precision);
      ADD_FAILURE() << name_of(precision);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_EQ(error.what(), support.reason);
    }
  }
}

TEST(PrivateOperators, AreThereInThisLibTorch) {
  if (!at::hasMKLDNN()) GTEST_SKIP() << "this LibTorch has no oneDNN";
  EXPECT_EQ(operator_problem("mkldnn::_reorder_linear_weight", 2), "");
  EXPECT_EQ(operator_problem("mkldnn::_linear_pointwise", 6), "");
  EXPECT_EQ(operator_problem("onednn::qlinear_prepack", 2), "");
  EXPECT_EQ(operator_problem("onednn::qlinear_pointwise", 13), "");
}

TEST(PrivateOperators, MissingAndChangedOnesAreNamed) {
  EXPECT_EQ(operator_problem("onednn::no_such_operator", 2),
            "operator onednn::no_such_operator is missing");
  EXPECT_THAT(operator_problem("aten::add.Tensor", 3), testing::HasSubstr("aten::add"));
  EXPECT_THAT(operator_problem("aten::relu", 2),
              testing::StartsWith("operator aten::relu takes other arguments: aten::relu("));
}

}  // namespace
}  // namespace tagclip
