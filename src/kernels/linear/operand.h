#pragma once

#include <ATen/ATen.h>

#include <type_traits>

#include "kernels/common/bilinear.h"
#include "kernels/linear/precision.h"

namespace tagclip {

// Rows as matrix products of a precision read them.
struct GemmOperand {
  at::Tensor values;  // [M, K], operand_type; rows may lie further apart, with zeros between them
  at::Tensor scales;  // [M] float, row m is values[m] scales[m]; int8 only
  at::Tensor low;     // like `values`, row m is values[m] + low[m]; bfloat16x3 only
};

inline int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

// Memory for M rows of K.
GemmOperand empty_operand(int64_t M, int64_t K, GemmPrecision precision);
// Memory for M rows of N that products may put out: what later ones read, but of int8 bfloat16.
GemmOperand empty_output(int64_t M, int64_t N, GemmPrecision precision);

// A layer norm over rows of K.
struct RowNorm {
  at::Tensor weight, bias;  // [K] float
  double epsilon;
};

// x [M, K] float -> what at::layer_norm makes of it. `out` may be x itself.
void layer_norm_rows(const at::Tensor& x, const RowNorm& norm, GemmOperand& out);
// Rows `part` alone, on this thread.
void layer_norm_rows(const at::Tensor& x, const RowNorm& norm, Interval part, GemmOperand& out);

// x [M, K], float or bfloat16, in the precision of `out`. Of int8, each row's largest number
// becomes +-127.
void copy_to_operand(const at::Tensor& x, GemmOperand& out);

// Patches of a photo as rows: pixels [3, H, W] float -> [H' W', 3 patch patch]. What is left of the
// sides beyond whole patches is not read.
void patch_rows(const at::Tensor& pixels, int64_t patch, GemmOperand& out);

// The bits of bfloat16 numbers, which the loops of this folder read and write.
inline uint16_t* bfloat16_bits(const at::Tensor& numbers) {
  return reinterpret_cast<uint16_t*>(numbers.mutable_data_ptr<at::BFloat16>());
}

// A tensor's numbers, float or bfloat16.
template <typename Stored>
Stored* numbers_of(const at::Tensor& tensor) {
  if constexpr (std::is_same_v<Stored, float>) {
    return tensor.mutable_data_ptr<float>();
  } else {
    return bfloat16_bits(tensor);
  }
}

}  // namespace tagclip
