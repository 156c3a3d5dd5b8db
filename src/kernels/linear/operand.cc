#include "kernels/linear/operand.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "kernels/linear/simd_rows.h"

namespace tagclip {
namespace {

constexpr int64_t kRowsAtOnce = 8;

// Writes row m of `out` from floats.
void put_row(const float* x, int64_t m, GemmOperand& out) {
  const int64_t n = out.values.size(1), begin = m * out.values.stride(0);
  if (out.low.defined()) {
    return split_row(x, n, bfloat16_bits(out.values) + begin, bfloat16_bits(out.low) + begin);
  }
  switch (out.values.scalar_type()) {
    case at::kFloat:
      std::copy_n(x, n, out.values.mutable_data_ptr<float>() + begin);
      break;
    case at::kBFloat16:
      narrow_row(x, n, bfloat16_bits(out.values) + begin);
      break;
    default:
      out.scales.mutable_data_ptr<float>()[m] =
          quantise_row(x, n, out.values.mutable_data_ptr<int8_t>() + begin);
  }
}

// Calls make(m, row of floats) for rows `part` of `out`, and keeps what it made.
template <typename Make>
void make_rows(GemmOperand& out, Interval part, const Make& make) {
  std::vector<float> row(out.values.size(1));
  for (int64_t m = part.begin; m < part.end; ++m) {
    make(m, row.data());
    put_row(row.data(), m, out);
  }
}

template <typename Make>
void make_rows(GemmOperand& out, const Make& make) {
  at::parallel_for(0, out.values.size(0), kRowsAtOnce,
                   [&](int64_t begin, int64_t end) { make_rows(out, {begin, end}, make); });
}

at::Tensor empty_matrix(int64_t M, int64_t K, at::ScalarType type) {
  // Matrix units take 4 bytes at a time along a row.
  const auto group = std::max<int64_t>(1, static_cast<int64_t>(4 / at::elementSize(type)));
  const int64_t stride = round_up(K, group);
  const at::Tensor matrix = stride == K ? at::empty({M, K}, type) : at::zeros({M, stride}, type);
  return matrix.narrow(1, 0, K);
}

}  // namespace

GemmOperand empty_operand(int64_t M, int64_t K, GemmPrecision precision) {
  const at::ScalarType type = operand_type(precision);
  GemmOperand rows{.values = empty_matrix(M, K, type)};
  if (precision == GemmPrecision::kInt8) rows.scales = at::empty({M});
  if (precision == GemmPrecision::kBFloat16x3) rows.low = empty_matrix(M, K, type);
  return rows;
}

GemmOperand empty_output(int64_t M, int64_t N, GemmPrecision precision) {
  if (precision == GemmPrecision::kInt8) return {.values = at::empty({M, N}, at::kBFloat16)};
  return empty_operand(M, N, precision);
}

void layer_norm_rows(const at::Tensor& x, const RowNorm& norm, GemmOperand& out) {
  at::parallel_for(0, x.size(0), kRowsAtOnce, [&](int64_t begin, int64_t end) {
    layer_norm_rows(x, norm, {begin, end}, out);
  });
}

void layer_norm_rows(const at::Tensor& x, const RowNorm& norm, Interval part, GemmOperand& out) {
  const int64_t n = x.size(1);
  TAGCLIP_CHECK(x.is_contiguous() && x.sizes() == out.values.sizes(), "norm of other rows");
  const float *from = x.const_data_ptr<float>(), *weight = norm.weight.const_data_ptr<float>(),
              *bias = norm.bias.const_data_ptr<float>();
  make_rows(out, part, [&](int64_t m, float* row) {
    norm_row(from + m * n, weight, bias, static_cast<float>(norm.epsilon), n, row);
  });
}

void copy_to_operand(const at::Tensor& x, GemmOperand& out) {
  const int64_t n = x.size(1);
  TAGCLIP_CHECK(x.is_contiguous() && x.sizes() == out.values.sizes(), "copy of other rows");
  if (x.scalar_type() == at::kFloat) {
    const float* from = x.const_data_ptr<float>();
    return make_rows(out, [&](int64_t m, float* row) { std::copy_n(from + m * n, n, row); });
  }
  const uint16_t* from = bfloat16_bits(x);
  make_rows(out, [&](int64_t m, float* row) { widen_row(from + m * n, n, row); });
}

void patch_rows(const at::Tensor& pixels, int64_t patch, GemmOperand& out) {
  const int64_t height = pixels.size(1), width = pixels.size(2), across = width / patch;
  TAGCLIP_CHECK(pixels.is_contiguous() && out.values.size(0) == height / patch * across &&
                    out.values.size(1) == 3 * patch * patch,
                "patches of another photo");
  const float* from = pixels.const_data_ptr<float>();
  make_rows(out, [&](int64_t m, float* row) {
    const float* corner = from + m / across * patch * width + m % across * patch;
    for (int64_t colour = 0; colour < 3; ++colour) {
      for (int64_t y = 0; y < patch; ++y, row += patch) {
        std::copy_n(corner + (colour * height + y) * width, patch, row);
      }
    }
  });
}

}  // namespace tagclip
