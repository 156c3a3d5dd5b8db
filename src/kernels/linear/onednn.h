#pragma once

#include <ATen/ATen.h>

#include "kernels/linear/operand.h"
#include "kernels/linear/precision.h"

namespace tagclip {

// Whole products with weights in oneDNN's own layout: what is left to processors that have
// instructions for bfloat16 or int8, but no matrix units.

// Whether this is one of them, or has matrix units as well.
bool onednn_multiplies(GemmPrecision precision);

// Weights [out, in] for onednn_product.
at::Tensor onednn_pack(const GemmOperand& weight, GemmPrecision precision);

// x [M, in] -> [M, out]: x W' as bfloat16; of int8, which it is but for the rows' scales, as float.
// weight_scales [out]: of int8.
at::Tensor onednn_product(const GemmOperand& x, const at::Tensor& packed,
                          const at::Tensor& weight_scales);

// The same of bytes as they are: bytes [M, in], of which `zero` means 0; weight [out, in] int8.
at::Tensor onednn_pack_int8(const at::Tensor& weight);
at::Tensor onednn_multiply_bytes(const at::Tensor& bytes, int64_t zero, const at::Tensor& packed,
                                 const at::Tensor& scales);

}  // namespace tagclip
