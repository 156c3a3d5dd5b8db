#pragma once

#include <ATen/ATen.h>

#include "kernels/precision.h"
#include "kernels/rows.h"

namespace tagclip {

// Whole products with weights in oneDNN's own layout: what is left to processors that have
// instructions for bfloat16 or int8, but no matrix units.

// Whether this is one of them, or has matrix units as well.
bool onednn_multiplies(MatrixPrecision precision);

// Weights [out, in] for onednn_product.
at::Tensor onednn_pack(const Rows& weight, MatrixPrecision precision);

// x [M, in] -> [M, out]: x W' as bfloat16; of int8, which it is but for the rows' scales, as float.
// weight_scales [out]: of int8.
at::Tensor onednn_product(const Rows& x, const at::Tensor& packed, const at::Tensor& weight_scales);

}  // namespace tagclip
