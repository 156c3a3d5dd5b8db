#pragma once

#include <ATen/ATen.h>

#include <string>

#include "kernels/linear/operand.h"
#include "kernels/linear/precision.h"

namespace tagclip {

// Products of whole matrices by oneDNN with weights in its own layout, for processors that have
// instructions for bfloat16 or int8 but no AMX. LibTorch has them as private operators, which are
// looked up by name; a LibTorch without one of them leaves the precision unavailable.

// The reason why products of this precision do not run: the processor lacks the instructions, or
// this LibTorch an operator. Empty if they run. `precision`: kBFloat16 or kInt8.
std::string onednn_unsupported_reason(GemmPrecision precision);

// The fault of a private operator of LibTorch: "operator NAME is missing" or "operator NAME takes
// other arguments: SCHEMA". Empty if it exists with `arguments` arguments.
std::string operator_problem(const char* name, size_t arguments);

// Packs weights [out, in] for onednn_product.
at::Tensor onednn_pack(const GemmOperand& weight, GemmPrecision precision);

// x [M, in] -> x W' [M, out]: bfloat16, or for int8 float, still to be multiplied by the scales of
// the rows of x. weight_scales [out]: int8 only.
at::Tensor onednn_product(const GemmOperand& x, const at::Tensor& packed,
                          const at::Tensor& weight_scales);

// The int8 product itself: bytes [M, in] uint8 in which `zero` stands for 0, weight [out, in] int8.
at::Tensor onednn_pack_int8(const at::Tensor& weight);
at::Tensor onednn_multiply_bytes(const at::Tensor& bytes, int64_t zero, const at::Tensor& packed,
                                 const at::Tensor& scales);

}  // namespace tagclip
