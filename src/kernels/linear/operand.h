#pragma once

#include <ATen/ATen.h>

#include "kernels/common/bilinear.h"
#include "kernels/linear/precision.h"

namespace tagclip {

// A matrix in the form in which products of a precision read it.
struct GemmOperand {
  at::Tensor values;  // [M, K] of operand_type; rows may be padded with zeros to whole 4 bytes
  at::Tensor scales;  // [M] float: row m is values[m] scales[m]; int8 only
  at::Tensor low;     // [M, K] like `values`: row m is values[m] + low[m]; bfloat16x3 only
};

inline int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

// Allocates an operand of M rows of K.
GemmOperand empty_operand(int64_t M, int64_t K, GemmPrecision precision);
// Allocates a product's output of M rows of N: an operand of later products, but bfloat16 for int8.
GemmOperand empty_output(int64_t M, int64_t N, GemmPrecision precision);

// The parameters of a layer norm over rows of K.
struct RowNorm {
  at::Tensor weight, bias;  // [K] float
  double epsilon;
};

// Sets `out` to at::layer_norm of x [M, K] float, in parallel. `out` may be x itself.
void layer_norm_rows(const at::Tensor& x, const RowNorm& norm, GemmOperand& out);
// The same for rows `part`, on the calling thread.
void layer_norm_rows(const at::Tensor& x, const RowNorm& norm, Interval part, GemmOperand& out);

// Converts x [M, K], float or bfloat16. For int8 the scale of a row maps its largest absolute value
// to 127.
void copy_to_operand(const at::Tensor& x, GemmOperand& out);

// Copies the patches of an image into rows (im2col of a convolution whose stride is its size):
// pixels [3, H, W] float -> [H' W', 3 patch patch]. Pixels beyond the last whole patch are left
// out.
void patch_rows(const at::Tensor& pixels, int64_t patch, GemmOperand& out);

}  // namespace tagclip
