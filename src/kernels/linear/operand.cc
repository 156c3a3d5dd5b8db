#include "kernels/linear/operand.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/platform.h"
#include "kernels/common/bfloat16.h"

namespace tagclip {
namespace {

constexpr int64_t kRowsPerTask = 8;

// out = (x - mean) / sqrt(variance + epsilon) weight + bias
TAGCLIP_MULTIVERSION
void norm_row(const float* __restrict x, const float* __restrict weight,
              const float* __restrict bias, float epsilon, int64_t n, float* __restrict out) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += x[i];
  const float mean = sum / static_cast<float>(n);
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (int64_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  const float scale = 1 / std::sqrt(squares / static_cast<float>(n) + epsilon);
  for (int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * scale * weight[i] + bias[i];
}

// out = x / scale, rounded to the nearest integer. Returns the scale, with which the largest
// absolute value becomes 127.
TAGCLIP_MULTIVERSION
float quantise_row(const float* __restrict x, int64_t n, int8_t* __restrict out) {
  float largest = 0;
#pragma omp simd reduction(max : largest)
  for (int64_t i = 0; i < n; ++i) {
    const float size = std::fabs(x[i]);
    largest = size > largest ? size : largest;
  }
  constexpr float kRounder = 0x1.8p23f;  // adding it rounds to the nearest integer
  const float factor = largest > 0 ? 127 / largest : 0;
  for (int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<int8_t>(static_cast<int32_t>((x[i] * factor + kRounder) - kRounder));
  }
  return largest / 127;
}

// Writes row m of `out` from floats.
void write_row(const float* x, int64_t m, GemmOperand& out) {
  const int64_t n = out.values.size(1), begin = m * out.values.stride(0);
  if (out.low.defined()) {
    return split_bfloat16_row(x, n, bfloat16_data(out.values) + begin,
                              bfloat16_data(out.low) + begin);
  }
  switch (out.values.scalar_type()) {
    case at::kFloat:
      std::copy_n(x, n, out.values.mutable_data_ptr<float>() + begin);
      break;
    case at::kBFloat16:
      to_bfloat16_row(x, n, bfloat16_data(out.values) + begin);
      break;
    default:
      out.scales.mutable_data_ptr<float>()[m] =
          quantise_row(x, n, out.values.mutable_data_ptr<int8_t>() + begin);
  }
}

// Calls make(m, row of floats) for rows `part` of `out`, and writes what it made.
template <typename Make>
void make_rows(GemmOperand& out, Interval part, const Make& make) {
  std::vector<float> row(out.values.size(1));
  for (int64_t m = part.begin; m < part.end; ++m) {
    make(m, row.data());
    write_row(row.data(), m, out);
  }
}

template <typename Make>
void make_rows(GemmOperand& out, const Make& make) {
  at::parallel_for(0, out.values.size(0), kRowsPerTask,
                   [&](int64_t begin, int64_t end) { make_rows(out, {begin, end}, make); });
}

at::Tensor empty_matrix(int64_t M, int64_t K, at::ScalarType type) {
  // AMX reads 4 bytes at a time along a row.
  const auto group = std::max<int64_t>(1, static_cast<int64_t>(4 / at::elementSize(type)));
  const int64_t stride = round_up(K, group);
  const at::Tensor matrix = stride == K ? at::empty({M, K}, type) : at::zeros({M, stride}, type);
  return matrix.narrow(1, 0, K);
}

}  // namespace

GemmOperand empty_operand(int64_t M, int64_t K, GemmPrecision precision) {
  const at::ScalarType type = operand_type(precision);
  GemmOperand operand{.values = empty_matrix(M, K, type)};
  if (precision == GemmPrecision::kInt8) operand.scales = at::empty({M});
  if (precision == GemmPrecision::kBFloat16x3) operand.low = empty_matrix(M, K, type);
  return operand;
}

GemmOperand empty_output(int64_t M, int64_t N, GemmPrecision precision) {
  if (precision == GemmPrecision::kInt8) return {.values = at::empty({M, N}, at::kBFloat16)};
  return empty_operand(M, N, precision);
}

void layer_norm_rows(const at::Tensor& x, const RowNorm& norm, GemmOperand& out) {
  at::parallel_for(0, x.size(0), kRowsPerTask, [&](int64_t begin, int64_t end) {
    layer_norm_rows(x, norm, {begin, end}, out);
  });
}

void layer_norm_rows(const at::Tensor& x, const RowNorm& norm, Interval part, GemmOperand& out) {
  const int64_t n = x.size(1);
  TAGCLIP_CHECK(x.is_contiguous() && x.sizes() == out.values.sizes(),
                "layer_norm_rows: x and out must have the same shape");
  const float *from = x.const_data_ptr<float>(), *weight = norm.weight.const_data_ptr<float>(),
              *bias = norm.bias.const_data_ptr<float>();
  make_rows(out, part, [&](int64_t m, float* row) {
    norm_row(from + m * n, weight, bias, static_cast<float>(norm.epsilon), n, row);
  });
}

void copy_to_operand(const at::Tensor& x, GemmOperand& out) {
  const int64_t n = x.size(1);
  TAGCLIP_CHECK(x.is_contiguous() && x.sizes() == out.values.sizes(),
                "copy_to_operand: x and out must have the same shape");
  if (x.scalar_type() == at::kFloat) {
    const float* from = x.const_data_ptr<float>();
    return make_rows(out, [&](int64_t m, float* row) { std::copy_n(from + m * n, n, row); });
  }
  const uint16_t* from = bfloat16_data(x);
  make_rows(out, [&](int64_t m, float* row) { from_bfloat16_row(from + m * n, n, row); });
}

void patch_rows(const at::Tensor& pixels, int64_t patch, GemmOperand& out) {
  const int64_t height = pixels.size(1), width = pixels.size(2), across = width / patch;
  TAGCLIP_CHECK(pixels.is_contiguous() && out.values.size(0) == height / patch * across &&
                    out.values.size(1) == 3 * patch * patch,
                "patch_rows: out must be [H' W', 3 patch patch]");
  const float* from = pixels.const_data_ptr<float>();
  make_rows(out, [&](int64_t m, float* row) {
    const float* corner = from + m / across * patch * width + m % across * patch;
    for (int64_t channel = 0; channel < 3; ++channel) {
      for (int64_t y = 0; y < patch; ++y, row += patch) {
        std::copy_n(corner + (channel * height + y) * width, patch, row);
      }
    }
  });
}

}  // namespace tagclip
